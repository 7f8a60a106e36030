//! The text files of the repository.
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Folders that hold what is built or installed.
const BUILT: [&str; 6] = ["target", "node_modules", "dist", "__pycache__", "abide-data", "vendor"];
/// Folders that are ours although their names begin with a dot.
const DOTTED: [&str; 2] = [".ci", ".cargo"];

/// A file with its path from the root, with `/` between the parts.
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
}

impl Source {
    pub(super) fn extension(&self) -> &str {
        Path::new(&self.path).extension().and_then(|extension| extension.to_str()).unwrap_or_default()
    }
}

/// Reads every text file, ordered by path.
pub(super) fn read(root: &Path) -> io::Result<Vec<Source>> {
    let mut paths = Vec::new();
    collect(root, &mut paths)?;
    paths.sort_unstable();
    let mut sources = Vec::with_capacity(paths.len());
    for path in paths {
        match fs::read_to_string(&path) {
            Ok(text) => sources.push(Source { path: relative(root, &path), text }),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {} // not a text
            Err(error) => return Err(error),
        }
    }
    Ok(sources)
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let name = name.to_string_lossy();
        let hidden = name.starts_with('.') && !DOTTED.contains(&&*name);
        if kind.is_dir() && !hidden && !BUILT.contains(&&*name) {
            collect(&entry.path(), paths)?;
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
    Ok(())
}

fn relative(root: &Path, path: &Path) -> String {
    let parts: Vec<_> = path.strip_prefix(root).unwrap_or(path).iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
