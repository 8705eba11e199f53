"""What the floor is made of and the rules it follows: pure, no clock, no thread, no file, no device."""
