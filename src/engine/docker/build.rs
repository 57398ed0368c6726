//! Builds images with the Engine's own builder, which every Engine has.

use std::collections::HashMap;

use bollard::models::ProgressDetail;
use bollard::query_parameters::BuildImageOptionsBuilder;
use futures_util::StreamExt;

use super::DockerBackend;
use super::images::step_of;
use crate::engine::{BuildRequest, EngineError, Progress, ProgressSink, Result};

impl DockerBackend {
    pub(super) async fn build_from(
        &self,
        request: &BuildRequest,
        progress: ProgressSink<'_>,
    ) -> Result<()> {
        let (first, more) = request
            .tags
            .split_first()
            .ok_or_else(|| EngineError::Refused {
                what: "building an image".to_owned(),
                why: "it is given no name".to_owned(),
            })?;
        let args: HashMap<String, String> = request.args.iter().cloned().collect();
        let options = BuildImageOptionsBuilder::default()
            .t(first)
            .target(&request.target)
            .buildargs(&args)
            // Package registries are reached as from the host, whatever its name server and proxies are.
            .networkmode("host")
            .rm(true)
            .forcerm(true)
            .build();
        let context = bollard::body_full(request.context.clone());
        let mut steps = self.api.slow.build_image(options, None, Some(context));
        while let Some(step) = steps.next().await {
            let step = step.map_err(|error| self.api.error(&format!("building {first}"), error))?;
            if let Some(told) = told(
                step.stream,
                step.id,
                step.status,
                step.progress_detail.as_ref(),
            ) {
                progress(told);
            }
        }
        for name in more {
            self.name_image(first, name).await?;
        }
        Ok(())
    }
}

/// What a step of a build tells: a line of its output, or a layer that comes in.
fn told(
    line: Option<String>,
    layer: Option<String>,
    status: Option<String>,
    detail: Option<&ProgressDetail>,
) -> Option<Progress> {
    let line = line.filter(|line| !line.trim().is_empty());
    if line.is_none() && status.is_none() {
        return None;
    }
    Some(step_of(
        layer,
        line.map(|line| line.trim_end().to_owned()).or(status),
        detail,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_tells_its_lines_without_the_empty_ones() {
        let line = |text: &str| told(Some(text.to_owned()), None, None, None);
        assert_eq!(line("\n"), None);
        assert_eq!(
            line("Step 1/2 : FROM x\n").map(|p| p.message),
            Some("Step 1/2 : FROM x".to_owned())
        );
        let layer = told(
            None,
            Some("abc".to_owned()),
            Some("Pulling".to_owned()),
            None,
        );
        assert_eq!(layer.map(|p| p.part), Some("abc".to_owned()));
        assert_eq!(told(None, None, None, None), None);
    }
}
