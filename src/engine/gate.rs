//! Where a test can stop the program: every step of a backend passes here.
