"""How cells become numbers: dates, kinds of interaction, weights; and the staging table for files of any size."""
