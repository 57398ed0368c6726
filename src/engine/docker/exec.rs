//! Runs commands inside instances, with or without a terminal.

use std::pin::Pin;
use std::time::Duration;

use bollard::models::ExecConfig;
use bollard::query_parameters::ResizeExecOptionsBuilder;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use hyper::header::{CONNECTION, HeaderValue, UPGRADE};
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::Instant;

use super::DockerBackend;
use super::api::{error_at, request, status};
use super::logs::{Trouble, demultiplex};
use crate::engine::{BoxStream, EngineError, ExecRequest, ExecSession, Output, Result};

/// How long Docker may take to notice the end of a command whose output has ended.
const SETTLING: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);
/// How much is read at a time.
const PIECE: usize = 16 << 10;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Start {
    detach: bool,
    tty: bool,
}

impl DockerBackend {
    /// Runs a command in a container, by its name or id.
    pub(in crate::engine) async fn run_in(
        &self,
        name: &str,
        command: &ExecRequest,
    ) -> Result<ExecSession> {
        let id = self.prepare(name, command).await?;
        let (reader, writer) = self.begin(&id, name, command.terminal.is_some()).await?;
        if let Some((columns, rows)) = command.terminal {
            self.resize(&id, columns, rows).await?;
        }
        let pieces = read_all(reader, self.api.endpoint().to_owned());
        let output: BoxStream<'static, _> = if command.terminal.is_some() {
            pieces.map_ok(|piece| (Output::Stdout, piece)).boxed()
        } else {
            demultiplex(pieces, Trouble::Shown).boxed()
        };
        Ok(ExecSession {
            output,
            input: writer,
            id,
        })
    }

    async fn prepare(&self, name: &str, command: &ExecRequest) -> Result<String> {
        let config = ExecConfig {
            attach_stdin: Some(command.input),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(command.terminal.is_some()),
            cmd: Some(command.command.clone()),
            ..ExecConfig::default()
        };
        match self.api.quick.create_exec(name, config).await {
            Ok(made) => Ok(made.id),
            Err(error) if status(&error) == Some(404) => Err(EngineError::Gone {
                what: format!("container {name}"),
            }),
            Err(error) => Err(self
                .api
                .error(&format!("running a command in {name}"), error)),
        }
    }

    /// Starts a prepared command and takes over its connection. Not bollard's: it looks for frames in what a terminal
    /// shows.
    async fn begin(
        &self,
        id: &str,
        name: &str,
        terminal: bool,
    ) -> Result<(
        Pin<Box<dyn AsyncRead + Send>>,
        Pin<Box<dyn AsyncWrite + Send>>,
    )> {
        let what = format!("running a command in {name}");
        let body = Start {
            detach: false,
            tty: terminal,
        };
        let path = format!("/exec/{id}/start");
        let request = request(Method::POST, &path, &[], Some(&body)).map(|mut request| {
            let headers = request.headers_mut();
            headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
            headers.insert(UPGRADE, HeaderValue::from_static("tcp"));
            request
        });
        let answer = self
            .api
            .raw_patient(request)
            .await
            .map_err(|error| self.api.error(&what, error))?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(EngineError::Garbled {
                what,
                why: format!("status {} instead of 101", answer.status()),
            });
        }
        let upgraded = hyper::upgrade::on(answer)
            .await
            .map_err(|error| self.api.broken(&error))?;
        let (reader, writer) = tokio::io::split(TokioIo::new(upgraded));
        Ok((Box::pin(reader), Box::pin(writer)))
    }

    pub(in crate::engine) async fn exit_code_of(&self, id: &str) -> Result<i64> {
        let what = "asking for a command's exit code";
        let deadline = Instant::now() + SETTLING;
        loop {
            let state = self
                .api
                .quick
                .inspect_exec(id)
                .await
                .map_err(|error| self.api.error(what, error))?;
            if let (Some(code), false) = (state.exit_code, state.running.unwrap_or_default()) {
                return Ok(code);
            }
            if Instant::now() > deadline {
                return Err(EngineError::Refused {
                    what: what.to_owned(),
                    why: "it is still running".to_owned(),
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// A command that has only just begun has no terminal yet, and one that has ended has none any more.
    pub(in crate::engine) async fn resize(&self, id: &str, columns: u16, rows: u16) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(1);
        loop {
            let options = ResizeExecOptionsBuilder::default()
                .w(i32::from(columns))
                .h(i32::from(rows))
                .build();
            match self.api.quick.resize_exec(id, options).await {
                Ok(()) => return Ok(()),
                // Only the size is lost.
                Err(error) if status(&error).is_some() && Instant::now() > deadline => {
                    return Ok(());
                }
                Err(error) if status(&error).is_some() => {
                    let ended = self.api.quick.inspect_exec(id).await;
                    if ended.is_ok_and(|state| state.exit_code.is_some()) {
                        return Ok(());
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(self.api.error("resizing a terminal", error)),
            }
        }
    }
}

fn read_all(
    reader: Pin<Box<dyn AsyncRead + Send>>,
    endpoint: String,
) -> BoxStream<'static, Result<Bytes>> {
    stream::try_unfold((reader, endpoint), |(mut reader, endpoint)| async move {
        let mut piece = BytesMut::with_capacity(PIECE);
        match reader.read_buf(&mut piece).await {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some((piece.freeze(), (reader, endpoint)))),
            Err(error) => Err(error_at(
                &endpoint,
                "reading a command's output",
                error.into(),
            )),
        }
    })
    .boxed()
}
