//! Only here so that cargo builds libFuzzer.
