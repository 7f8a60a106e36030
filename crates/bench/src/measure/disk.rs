//! Space that a directory takes on disk.
use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

/// `st_blocks` counts these.
const BLOCK_BYTES: u64 = 512;

/// The bytes allocated for all files below `directory`.
///
/// # Errors
/// When the directory itself cannot be read; files that go away meanwhile count nothing.
pub(crate) fn disk_bytes(directory: &Path) -> io::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(metadata) = entry.metadata() else { continue };
        total +=
            if metadata.is_dir() { disk_bytes(&entry.path()).unwrap_or(0) } else { metadata.blocks() * BLOCK_BYTES };
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::disk_bytes;

    #[test]
    fn files_in_folders_count_and_holes_do_not() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("inner")).unwrap();
        fs::write(directory.path().join("inner/full"), [1; 64 << 10]).unwrap();
        fs::File::create(directory.path().join("hole")).unwrap().set_len(1 << 30).unwrap();
        let bytes = disk_bytes(directory.path()).unwrap();
        assert!((64 << 10..1 << 20).contains(&bytes), "{bytes}");
    }
}
