//! `monomove serve`: the built playground on localhost.
//!
//! A small file server and no more: GET and HEAD of regular files below one directory, on the loopback interface, one thread a connection. The
//! playground itself does all its work in the browser.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::Args;

use super::exit::{CliError, Exit};
use super::output::{self, Output};

/// Bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;
/// Connections at a time.
const MAX_CONNECTIONS: usize = 64;
/// How long a client may take to say something, or to take something.
const PATIENCE: Duration = Duration::from_secs(10);

/// Arguments of `monomove serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  monomove serve
  monomove serve --dir www/dist --port 8000

The playground is built with `npm ci && npm run build` in web/, then in www/. Only this machine can reach the server.")]
pub(crate) struct ServeArgs {
    /// The built playground [default: www/dist here or in a directory above]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Port; 0 takes a free one
    #[arg(long, default_value_t = 8090)]
    port: u16,
}

pub(crate) fn run(args: &ServeArgs, out: &mut Output) -> Result<Exit, CliError> {
    let root = root(args.dir.as_deref())?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let listener = TcpListener::bind(address).map_err(|error| {
        CliError::Message(Exit::Usage, format!("cannot listen at {address}: {error}"))
    })?;
    out.line(format_args!("http://{}/", listener.local_addr()?))?;
    out.flush()?;
    output::log(&format!("serving {}; Ctrl+C ends it", root.display()));
    serve(&listener, &Arc::new(root));
    Ok(Exit::Ok)
}

/// The directory that is served, without links in its path.
fn root(given: Option<&Path>) -> Result<PathBuf, CliError> {
    let found = match given {
        Some(dir) => Some(dir.to_path_buf()),
        None => std::env::current_dir()?
            .ancestors()
            .map(|dir| dir.join("www/dist"))
            .find(|dir| dir.is_dir()),
    };
    let missing = |dir: &str| {
        CliError::Message(
            Exit::Usage,
            format!(
                "no built playground in {dir}: run `npm ci && npm run build` in web/, then in www/"
            ),
        )
    };
    let dir = found.ok_or_else(|| missing("www/dist"))?;
    if !dir.join("index.html").is_file() {
        return Err(missing(&dir.display().to_string()));
    }
    Ok(dir.canonicalize()?)
}

/// Answers connections for ever.
fn serve(listener: &TcpListener, root: &Arc<PathBuf>) {
    let open = Arc::new(AtomicUsize::new(0));
    for connection in listener.incoming() {
        let Ok(stream) = connection else { continue };
        if open.fetch_add(1, Ordering::AcqRel) >= MAX_CONNECTIONS {
            open.fetch_sub(1, Ordering::AcqRel);
            continue;
        }
        let (root, open) = (Arc::clone(root), Arc::clone(&open));
        std::thread::spawn(move || {
            // A client that goes away is nobody's error.
            let _ = answer(stream, &root);
            open.fetch_sub(1, Ordering::AcqRel);
        });
    }
}

/// One request and its answer; then the connection ends.
fn answer(mut stream: TcpStream, root: &Path) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = read_head(&mut stream)?;
    let response = respond(&head, root);
    write!(
        stream,
        "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n\
         Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n{}Connection: close\r\n\r\n",
        response.status, response.content_type, response.length, response.extra,
    )?;
    match response.body {
        Body::None => {}
        Body::Text(text) => stream.write_all(text.as_bytes())?,
        Body::File(file) => {
            io::copy(&mut file.take(response.length), &mut stream)?;
        }
    }
    stream.flush()?;
    stream.shutdown(Shutdown::Write)
}

/// The head of a request, up to the empty line; what comes behind it is of no interest.
fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while head.len() < MAX_HEAD && !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut chunk)? {
            0 => break,
            count => head.extend(chunk.iter().take(count)),
        }
    }
    Ok(head)
}

enum Body {
    None,
    Text(&'static str),
    File(File),
}

struct Response {
    status: &'static str,
    content_type: &'static str,
    length: u64,
    extra: &'static str,
    body: Body,
}

impl Response {
    fn message(status: &'static str, extra: &'static str) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            length: status.len() as u64,
            extra,
            body: Body::Text(status),
        }
    }

    fn without_body(self, head_only: bool) -> Self {
        if head_only {
            Self {
                body: Body::None,
                ..self
            }
        } else {
            self
        }
    }
}

/// What a request gets.
fn respond(head: &[u8], root: &Path) -> Response {
    let bad = || Response::message("400 Bad Request", "");
    if !head.windows(4).any(|four| four == b"\r\n\r\n") {
        return if head.len() >= MAX_HEAD {
            Response::message("431 Request Header Fields Too Large", "")
        } else {
            bad()
        };
    }
    let Ok(text) = std::str::from_utf8(head) else {
        return bad();
    };
    let mut lines = text.split("\r\n");
    let mut parts = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return bad();
    };
    if !version.starts_with("HTTP/1.") {
        return bad();
    }
    let head_only = match method {
        "GET" => false,
        "HEAD" => true,
        _ => return Response::message("405 Method Not Allowed", "Allow: GET, HEAD\r\n"),
    };
    // Another site's name that resolves to this machine must not reach the server.
    if !lines
        .filter_map(|line| line.split_once(':'))
        .any(|(name, value)| name.eq_ignore_ascii_case("host") && is_local(value.trim()))
    {
        return Response::message("403 Forbidden", "").without_body(head_only);
    }
    file_response(target, root)
        .unwrap_or_else(|| Response::message("404 Not Found", ""))
        .without_body(head_only)
}

/// Whether a `Host` header names this machine.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1")
}

fn file_response(target: &str, root: &Path) -> Option<Response> {
    let path = resolve(target, root)?;
    let file = File::open(&path).ok()?;
    let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    Some(Response {
        status: "200 OK",
        content_type: content_type(&path),
        length: metadata.len(),
        extra: "",
        body: Body::File(file),
    })
}

/// The file that a request's target means: a path below `root` of plain names only, links followed and checked too.
fn resolve(target: &str, root: &Path) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.strip_prefix('/')?;
    let decoded = percent_decode(path)?;
    let relative = Path::new(&decoded);
    let plain = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !plain || decoded.contains(['\0', '\\']) {
        return None;
    }
    let mut full = root.join(relative);
    if full.is_dir() {
        full.push("index.html");
    }
    let real = full.canonicalize().ok()?;
    real.starts_with(root).then_some(real)
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        decoded.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(decoded).ok()
}

fn content_type(path: &Path) -> &'static str {
    let ending = path
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or("");
    match ending {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" | "move" | "masm" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

    use super::*;

    /// A directory with a page, and a secret beside it.
    struct Site {
        base: PathBuf,
        root: PathBuf,
    }

    impl Site {
        fn new(name: &str) -> Self {
            let base =
                std::env::temp_dir().join(format!("monomove-serve-{name}-{}", std::process::id()));
            let root = base.join("dist");
            std::fs::create_dir_all(root.join("assets")).unwrap();
            std::fs::write(base.join("secret"), "secret").unwrap();
            std::fs::write(root.join("index.html"), "<p>page</p>").unwrap();
            std::fs::write(root.join("assets/a b.wasm"), [0, 1, 2]).unwrap();
            let root = root.canonicalize().unwrap();
            Self { base, root }
        }

        fn ask(&self, request: &str) -> Response {
            respond(request.as_bytes(), &self.root)
        }

        fn get(&self, target: &str) -> Response {
            self.ask(&format!(
                "GET {target} HTTP/1.1\r\nHost: localhost:8090\r\n\r\n"
            ))
        }
    }

    impl Drop for Site {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.base);
        }
    }

    #[test]
    fn files_have_their_types() {
        let site = Site::new("types");
        let page = site.get("/");
        assert_eq!(
            (page.status, page.content_type),
            ("200 OK", "text/html; charset=utf-8")
        );
        assert_eq!(page.length, 11);
        let wasm = site.get("/assets/a%20b.wasm?x=1");
        assert_eq!(
            (wasm.status, wasm.content_type),
            ("200 OK", "application/wasm")
        );
        assert_eq!(site.get("/assets").status, "404 Not Found");
        assert_eq!(site.get("/missing.js").status, "404 Not Found");
    }

    #[test]
    fn nothing_outside_is_reached() {
        let site = Site::new("outside");
        std::fs::write(site.base.join("secret.html"), "secret").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(site.base.join("secret"), site.root.join("link")).unwrap();
        for target in [
            "/../secret",
            "/%2e%2e/secret",
            "/assets/../../secret",
            "/assets/%2e%2e%2f%2e%2e%2fsecret",
            "/..%5csecret",
            "//secret",
            "/./index.html%00",
            "/link",
            "/%",
            "/%zz",
            "/%ff",
            "secret",
            "http://localhost/index.html",
        ] {
            assert_eq!(site.get(target).status, "404 Not Found", "{target}");
        }
    }

    #[test]
    fn only_get_and_head_from_this_machine() {
        let site = Site::new("methods");
        let head = site.ask("HEAD / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
        assert!(matches!(head.body, Body::None));
        assert_eq!((head.status, head.length), ("200 OK", 11));
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "get"] {
            let answer = site.ask(&format!("{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            assert_eq!(answer.status, "405 Method Not Allowed");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "evil.example:80",
            "",
        ] {
            let answer = site.ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
            assert_eq!(answer.status, "403 Forbidden", "{host}");
        }
        for request in [
            "",
            "\r\n\r\n",
            "GET /\r\n\r\n",
            "GET / x y\r\n\r\n",
            "GET / HTTP/2\r\n\r\n",
        ] {
            assert_eq!(site.ask(request).status, "400 Bad Request", "{request:?}");
        }
        let long = vec![b'a'; MAX_HEAD];
        assert!(respond(&long, &site.root).status.starts_with("431"));
    }

    #[test]
    fn over_a_socket() {
        let site = Site::new("socket");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let root = Arc::new(site.root.clone());
        std::thread::spawn(move || serve(&listener, &root));
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n<p>page</p>"), "{answer}");
    }
}
