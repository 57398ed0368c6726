//! Log lines: merging, following, and the archive that outlives containers.
