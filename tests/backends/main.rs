//! What every backend must do: one suite, run against each of them.
//!
//! A case sees nothing but the trait, and a harness that makes a backend with a deployment of its own and can put
//! things into its Docker that zoe would never have made.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::assigning_clones)]

mod classic;
mod docker;
mod executions;
mod files;
mod harness;
mod instances;
mod interrupted;
#[path = "../lab/mod.rs"]
mod lab;
mod memory;
mod on_swarm_only;
#[path = "../classic/stand_in/mod.rs"]
#[allow(dead_code)] // its own tests use more of it
mod stand_in;
mod strange;
mod swarm;

/// One test of each case for the harness that the expression makes.
macro_rules! conformance {
    ($backend:ident, $make:expr) => {
        conformance!(@cases $backend, $make,
            executions: what_was_submitted_is_seen_whole,
            executions: the_users_name_decides_a_race,
            executions: a_key_decides_a_race_and_is_taken_until_all_is_gone,
            executions: without_its_image_nothing_is_submitted,
            executions: private_values_read_back_and_are_in_no_label,
            executions: the_first_mark_stays_and_frees_the_name,
            executions: members_are_started_seen_and_left_alone,
            executions: a_half_made_start_is_gone_on_with,
            executions: a_start_without_an_image_fails_and_can_be_cleared,
            executions: what_was_removed_is_gone_and_stays_gone,
            executions: an_image_in_use_stays,
            executions: deployments_do_not_see_each_other,
            executions: observing_beside_others_invents_nothing,
            executions: changes_are_hinted_at,
            instances: exit_codes_are_told,
            instances: logs_outlive_the_instance,
            instances: a_log_is_followed_until_the_end,
            instances: environment_and_secrets_arrive,
            instances: stopping_ends_what_runs_and_keeps_its_log,
            instances: what_is_not_there_is_gone,
            instances: a_command_runs_inside,
            instances: usage_knows_the_limit,
            files: files_are_put_on_top_of_the_image,
            files: the_same_files_are_made_once,
            files: an_image_with_files_goes_when_nobody_uses_it,
            files: images_are_found_or_missed,
            strange: orphans_are_seen_and_swept,
            strange: what_cannot_be_read_is_reported_and_left_alone,
            strange: a_foreign_container_in_the_way_is_a_conflict,
            strange: a_copied_ticket_is_no_second_execution,
        );
    };
    (@cases $backend:ident, $make:expr, $($module:ident: $case:ident,)*) => {
        mod $backend {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let harness = $make;
                    let limit = std::time::Duration::from_mins(2);
                    tokio::time::timeout(limit, crate::$module::$case(&harness))
                        .await
                        .expect("the case takes too long");
                }
            )*
        }
    };
}

conformance!(in_process, crate::memory::Memory::in_process());
conformance!(in_a_file, crate::memory::Memory::in_a_file());
conformance!(on_docker, crate::docker::Docker::new().await);
conformance!(on_swarm, crate::swarm::Swarm::new().await);
conformance!(on_classic, crate::classic::Classic::new().await);
