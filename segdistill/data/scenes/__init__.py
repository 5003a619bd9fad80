"""The drawn datasets: small synthetic scenes, so that everything runs without a download."""
