"""The rules: arrays in, arrays out. No Beam, no SQL, no I/O, no clock."""
