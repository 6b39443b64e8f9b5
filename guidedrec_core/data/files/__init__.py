"""Files of tables, wherever they lie and however they are packed: places, unpacked streams, one parser a format."""
