"""Networks by recipe, built of mmsegmentation's parts."""
