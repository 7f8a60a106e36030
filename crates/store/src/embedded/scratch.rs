//! Where the engine makes its first files.
//!
//! It syncs each file and folder as it makes them, more than a hundred times before there is a store. Nobody needs half
//! a store to be durable, so they are made in memory, copied, and synced all at once by the caller.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::Path;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

/// A folder that the system keeps in memory.
const IN_MEMORY: &str = "/dev/shm";

/// Makes a folder in memory with `make` and copies it to `path`, or says why that cannot be.
pub(super) fn make<E: std::error::Error + 'static>(
    path: &Path,
    make: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), Box<dyn std::error::Error>> {
    let scratch = tempfile::Builder::new().prefix("abide-").tempdir_in(IN_MEMORY)?;
    let made = scratch.path().join("made");
    make(&made)?;
    Ok(copy_folder(&made, path)?)
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let copy = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &copy)?;
        } else {
            copy_file(&File::open(entry.path())?, &File::create_new(copy)?)?;
        }
    }
    Ok(())
}

/// Leaves out what was never written: the log is made much longer than what is in it.
fn copy_file(mut from: &File, mut to: &File) -> io::Result<()> {
    to.set_len(from.metadata()?.len())?;
    let mut at = 0;
    loop {
        let begin = match rustix::fs::seek(from, SeekFrom::Data(at)) {
            Err(Errno::NXIO) => return Ok(()),
            begin => begin?,
        };
        at = rustix::fs::seek(from, SeekFrom::Hole(begin))?;
        from.seek(io::SeekFrom::Start(begin))?;
        to.seek(io::SeekFrom::Start(begin))?;
        io::copy(&mut from.take(at - begin), &mut to)?;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use super::*;

    #[test]
    fn a_copy_has_the_same_bytes_and_holes() {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy");
        let fill = |path: &Path| -> io::Result<()> {
            fs::create_dir_all(path.join("a/b"))?;
            fs::write(path.join("a/b/full"), "full")?;
            fs::write(path.join("empty"), "")?;
            let mut sparse = File::create(path.join("sparse"))?;
            sparse.write_all(b"begin")?;
            sparse.seek(io::SeekFrom::Start(1 << 20))?;
            sparse.write_all(b"middle")?;
            sparse.set_len(64 << 20)
        };
        make(&copy, fill).unwrap();
        assert_eq!(fs::read(copy.join("a/b/full")).unwrap(), b"full");
        assert_eq!(fs::read(copy.join("empty")).unwrap(), b"");
        let sparse = fs::read(copy.join("sparse")).unwrap();
        assert_eq!(sparse.len(), 64 << 20);
        assert_eq!((&sparse[..6], &sparse[1 << 20..][..7]), (&b"begin\0"[..], &b"middle\0"[..]));
        assert_eq!(sparse.iter().filter(|byte| **byte != 0).count(), "beginmiddle".len());
        let blocks = std::os::unix::fs::MetadataExt::blocks(&fs::metadata(copy.join("sparse")).unwrap());
        assert!(blocks * 512 < 1 << 20, "the holes took {blocks} blocks");
    }

    #[test]
    fn what_cannot_be_made_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy");
        let failed = make(&copy, |_: &Path| Err(io::Error::other("no room"))).unwrap_err();
        assert_eq!(failed.to_string(), "no room");
        assert!(!copy.exists());
    }
}
