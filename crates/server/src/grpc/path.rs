//! Paths of requests: `/package.Service/Method`.

/// The two parts of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Path<'p> {
    pub service: &'p str,
    /// May be empty.
    pub method: &'p str,
}

impl<'p> Path<'p> {
    pub(super) fn parse(path: &'p str) -> Option<Self> {
        let (service, method) = path.strip_prefix('/')?.rsplit_once('/')?;
        Some(Self { service, method })
    }
}

/// Whether a service that tonic answers has the method.
pub(super) fn has_method(service: &str, method: &str) -> bool {
    match service {
        super::health::SERVICE => matches!(method, "Check" | "Watch"),
        _ => method == "ServerReflectionInfo",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_two_parts() {
        assert_eq!(Path::parse("/a.B/C"), Some(Path { service: "a.B", method: "C" }));
        assert_eq!(Path::parse("/a.B/"), Some(Path { service: "a.B", method: "" }));
        assert_eq!(Path::parse("/C"), None);
        assert_eq!(Path::parse(""), None);
    }
}
