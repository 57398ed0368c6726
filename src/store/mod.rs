//! History and the lease, behind one small trait.
