//! The flags of the commands: `name,short!:kind`, `@set`; without a kind the value is any text.

pub(super) const SETS: [(&str, &str); 13] = [
    ("run", "workflow-id,w! run-id,r"),
    ("input", "input,i input-file input-meta input-base64:bool"),
    ("runs", "workflow-id,w query,q run-id,r reason yes,y:bool rps:float headers"),
    (
        "workflow",
        "type! task-queue,t! run-timeout:duration execution-timeout:duration task-timeout:duration search-attribute headers memo \
         static-summary static-details priority-key:int fairness-key fairness-weight:float",
    ),
    (
        "start",
        "@workflow workflow-id,w cron fail-existing:bool start-delay:duration \
         id-reuse-policy:AllowDuplicate|AllowDuplicateFailedOnly|RejectDuplicate|TerminateIfRunning \
         id-conflict-policy:Fail|UseExisting|TerminateExisting @input",
    ),
    ("update", "name! first-execution-run-id workflow-id,w! update-id run-id,r headers @input"),
    (
        "update-with-start",
        "@start update-name! update-first-execution-run-id update-id run-id,r update-input update-input-file update-input-meta \
         update-input-base64:bool",
    ),
    ("overlap", "overlap-policy:Skip|BufferOne|BufferAll|CancelOther|TerminateOther|AllowAll"),
    (
        "schedule",
        "schedule-id,s! calendar catchup-window:duration cron end-time:time interval jitter:duration notes paused:bool \
         pause-on-failure:bool remaining-actions:int start-time:time time-zone @overlap @workflow workflow-id,w @input",
    ),
    (
        "activity-options",
        "schedule-to-close-timeout:duration schedule-to-start-timeout:duration start-to-close-timeout:duration \
         heartbeat-timeout:duration start-delay:duration retry-initial-interval:duration retry-maximum-interval:duration \
         retry-backoff-coefficient:float retry-maximum-attempts:int",
    ),
    (
        "activity-start",
        "activity-id,a! type! task-queue,t! @activity-options id-reuse-policy:AllowDuplicate|AllowDuplicateFailedOnly|RejectDuplicate \
         id-conflict-policy:Fail|UseExisting search-attribute headers static-summary static-details priority-key:int fairness-key \
         fairness-weight:float @input",
    ),
    ("version", "deployment-name! build-id!"),
    ("endpoint", "name! description description-file target-namespace target-task-queue target-url"),
];

pub(super) const COMMANDS: [(&str, &str); 59] = [
    ("activity cancel", "activity-id,a! run-id,r reason"),
    ("activity count", "query,q"),
    ("activity describe", "activity-id,a! run-id,r raw:bool"),
    ("activity execute", "@activity-start"),
    ("activity list", "query,q limit:int page-size:int"),
    ("activity pause", "activity-id,a workflow-id,w! run-id,r reason"),
    (
        "activity reset",
        "@runs activity-id,a keep-paused:bool reset-attempts:bool reset-heartbeats:bool jitter:duration restore-original-options:bool",
    ),
    ("activity result", "activity-id,a! run-id,r"),
    ("activity start", "@activity-start"),
    ("activity terminate", "activity-id,a! run-id,r reason"),
    ("activity unpause", "@runs activity-id,a jitter:duration reset-attempts:bool reset-heartbeats:bool"),
    ("activity update-options", "@runs activity-id,a task-queue @activity-options restore-original-options:bool"),
    ("batch describe", "job-id!"),
    ("batch list", "limit:int"),
    ("batch terminate", "job-id! reason!"),
    ("operator cluster upsert", "frontend-address! enable-connection:bool enable-replication:bool"),
    ("operator nexus endpoint create", "@endpoint"),
    ("operator nexus endpoint delete", "name!"),
    ("operator nexus endpoint get", "name!"),
    ("operator nexus endpoint list", ""),
    ("operator nexus endpoint update", "@endpoint unset-description:bool"),
    ("schedule backfill", "@overlap schedule-id,s! end-time!:time start-time!:time"),
    ("schedule create", "@schedule schedule-search-attribute schedule-memo"),
    ("schedule delete", "schedule-id,s!"),
    ("schedule describe", "schedule-id,s!"),
    ("schedule list", "long,l:bool really-long:bool query,q"),
    ("schedule list-matching-times", "schedule-id,s! end-time!:time start-time!:time"),
    ("schedule toggle", "schedule-id,s! pause:bool reason unpause:bool"),
    ("schedule trigger", "schedule-id,s! @overlap"),
    ("schedule update", "@schedule"),
    ("task-queue config get", "task-queue,t! task-queue-type!:workflow|activity|nexus"),
    (
        "task-queue config set",
        "task-queue,t! task-queue-type!:workflow|activity|nexus queue-rps-limit queue-rps-limit-reason fairness-key-rps-limit-default \
         fairness-key-rps-limit-reason fairness-key-weight fairness-key-weight-clear-all:bool",
    ),
    ("task-queue get-build-id-reachability", "build-id reachability-type:open|closed|existing task-queue,t"),
    ("task-queue get-build-ids", "task-queue,t! max-sets:int"),
    ("task-queue update-build-ids add-new-default", "build-id! task-queue,t!"),
    ("task-queue versioning get-rules", "task-queue,t!"),
    (
        "task-queue versioning insert-assignment-rule",
        "task-queue,t! build-id! rule-index,i:int percentage:int yes,y:bool",
    ),
    ("worker deployment create", "name,d!"),
    ("worker deployment delete", "name,d!"),
    ("worker deployment delete-version", "@version skip-drainage:bool"),
    ("worker deployment describe", "name,d!"),
    ("worker deployment describe-version", "@version report-task-queue-stats:bool"),
    ("worker deployment list", ""),
    (
        "worker deployment set-current-version",
        "deployment-name! build-id unversioned:bool ignore-missing-task-queues:bool allow-no-pollers:bool yes,y:bool",
    ),
    (
        "worker deployment set-ramping-version",
        "deployment-name! build-id unversioned:bool percentage:float delete:bool ignore-missing-task-queues:bool \
         allow-no-pollers:bool yes,y:bool",
    ),
    ("worker deployment update-version-metadata", "@version metadata remove-entries"),
    ("worker describe", "worker-instance-key!"),
    ("worker list", "query,q limit:int"),
    ("workflow execute-update-with-start", "@update-with-start"),
    ("workflow metadata", "@run reject-condition:not_open|not_completed_cleanly headers"),
    (
        "workflow reset",
        "workflow-id,w run-id,r event-id,e:int reason! reapply-type:All|Signal|None reapply-exclude:All|Signal|Update \
         type,t:FirstWorkflowTask|LastWorkflowTask|LastContinuedAsNew|BuildId build-id query,q yes,y:bool",
    ),
    ("workflow start-update-with-start", "@update-with-start update-wait-for-stage!:accepted"),
    ("workflow trace", "@run fold no-fold:bool depth:int concurrency:int"),
    ("workflow update describe", "workflow-id,w! update-id! run-id,r"),
    ("workflow update execute", "@update"),
    ("workflow update result", "workflow-id,w! update-id! run-id,r"),
    ("workflow update start", "@update wait-for-stage!:accepted"),
    (
        "workflow update-options",
        "@runs versioning-override-behavior!:unspecified|pinned|auto_upgrade versioning-override-deployment-name \
         versioning-override-build-id",
    ),
    ("worker deployment manager-identity unset", "deployment-name yes,y:bool"),
];
