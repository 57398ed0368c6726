//! A single pass of the scheduler, as cron makes one.

use zoe::model::{ExecutionId, RequiredEnd};
use zoe::ops::submit::launch::Common;
use zoe::ops::submit::{After, Asked};
use zoe::watch::{self, Outcome};

use crate::lab::{lab, nothing_left, submitted};

#[tokio::test]
async fn it_goes_on_as_long_as_there_is_something_to_begin() {
    let lab = lab();
    let mut last = None;
    for _ in 0..25 {
        let after = last.map(|id: ExecutionId| After {
            execution: id.to_string(),
            end: RequiredEnd::Any,
        });
        let terms = Asked {
            after: after.into_iter().collect(),
            ..Asked::default()
        };
        let common = Common {
            terms,
            ..Common::default()
        };
        let job = [("main", r#"["exit", "0"]"#)];
        last = Some(submitted(&lab, &job, common).await.id());
    }
    let never = std::future::pending();
    let done = watch::once_unless(&lab.context, never).await.unwrap();
    assert_eq!(done, Outcome::Done(Vec::new()));
    nothing_left(&lab).await;
}
