//! Where lines end: at LF, CR LF or a CR alone. A few CRs before a LF are part of its line ending: files that went
//! through a converter twice have two.

/// How many CRs at most belong to the LF after them; of more, the first ones end lines. Bounds the lookahead.
const MAX_RETURNS: usize = 8;

/// The first line of `bytes`: its length, and that of its line ending. None if no line ends there for certain: a LF may
/// still follow a CR at the very end.
pub fn line_end(bytes: &[u8]) -> Option<(usize, usize)> {
    let end = memchr::memchr2(b'\r', b'\n', bytes)?;
    let ending = bytes.get(end..).unwrap_or_default();
    let returns = ending.iter().take(MAX_RETURNS + 1).take_while(|byte| **byte == b'\r').count();
    match ending.get(returns) {
        Some(b'\n') if returns <= MAX_RETURNS => Some((end, returns + 1)),
        None if returns <= MAX_RETURNS => None,
        _ => Some((end, 1)),
    }
}

/// Whether a line within `bytes` ends in a CR alone. `bytes` must not end in a CR.
#[inline]
pub(super) fn has_lone_return(bytes: &[u8]) -> bool {
    let (mut expected, mut run) = (usize::MAX, 0);
    memchr::memchr_iter(b'\r', bytes).any(|at| {
        run = if at == expected { run + 1 } else { 1 };
        expected = at + 1;
        run > MAX_RETURNS || !matches!(bytes.get(at + 1), Some(b'\n' | b'\r'))
    })
}

/// A line without its ending, and without surrounding bytes of a block that was never written.
pub(super) fn without_ending(line: &[u8]) -> &[u8] {
    let is_none = |byte: &u8| matches!(byte, b'\r' | b'\n' | b'\0');
    let end = line.iter().rposition(|byte| !is_none(byte)).map_or(0, |last| last + 1);
    let start = line.iter().position(|byte| !is_none(byte)).unwrap_or(0);
    line.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(mut bytes: &[u8]) -> (Vec<&str>, &str) {
        let mut lines = Vec::new();
        while let Some((length, ending)) = line_end(bytes) {
            lines.push(str::from_utf8(&bytes[..length]).unwrap());
            bytes = &bytes[length + ending..];
        }
        (lines, str::from_utf8(bytes).unwrap())
    }

    #[test]
    fn endings() {
        assert_eq!(lines(b"a\nb\r\nc\rd"), (vec!["a", "b", "c"], "d"));
        assert_eq!(lines(b"a\r\r\nb\r\rc\n"), (vec!["a", "b", "", "c"], ""));
        assert_eq!(lines(b"a\r"), (vec![], "a\r"));
        assert_eq!(lines(b"\n\r\n"), (vec!["", ""], ""));
        let returns = "\r".repeat(MAX_RETURNS);
        assert_eq!(lines(format!("a{returns}\nb").as_bytes()), (vec!["a"], "b"));
        assert_eq!(lines(format!("a\r{returns}\nb").as_bytes()), (vec!["a", ""], "b"));
        assert_eq!(lines(format!("a\r{returns}").as_bytes()), (vec!["a"], returns.as_str()));
    }

    #[test]
    fn lone_returns() {
        for (bytes, lone) in [(&b"a\nb\n"[..], false), (b"a\r\nb\r\r\n", false), (b"a\rb\n", true), (b"\r\rb\n", true)]
        {
            assert_eq!(has_lone_return(bytes), lone, "{bytes:?}");
        }
        let returns = "\r".repeat(MAX_RETURNS);
        assert!(!has_lone_return(format!("a{returns}\n").as_bytes()));
        assert!(has_lone_return(format!("a\r{returns}\n").as_bytes()));
    }

    #[test]
    fn what_surrounds_a_line() {
        assert_eq!(without_ending(b"\0\0a\0b\0\r\n"), b"a\0b");
        assert_eq!(without_ending(b"\0\r\n"), b"");
    }
}
