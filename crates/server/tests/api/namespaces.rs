//! The calls about namespaces and their search attributes (spec §3.23, §3.32).
use abide_proto::temporal::api::{
    enums::v1::{IndexedValueType, NamespaceState},
    namespace::v1::{BadBinaries, BadBinaryInfo, NamespaceConfig, NamespaceFilter, UpdateNamespaceInfo},
    operatorservice::v1 as op,
    workflowservice::v1 as ws,
};
use abide_server::ServerConfig;
use prost_types::Duration;
use tonic::Code;

use crate::common::{Server, detailed, plain, refusal, start, start_with};

const DAY: Duration = Duration { seconds: 86_400, nanos: 0 };

impl Server {
    async fn register(&self, name: &str) {
        let request = ws::RegisterNamespaceRequest {
            namespace: name.into(),
            workflow_execution_retention_period: Some(DAY),
            ..Default::default()
        };
        self.workflow().register_namespace(request).await.unwrap();
    }

    async fn describe(&self, name: &str) -> ws::DescribeNamespaceResponse {
        let request = ws::DescribeNamespaceRequest { namespace: name.into(), ..Default::default() };
        self.workflow().describe_namespace(request).await.unwrap().into_inner()
    }

    async fn list(&self, request: ws::ListNamespacesRequest) -> ws::ListNamespacesResponse {
        self.workflow().list_namespaces(request).await.unwrap().into_inner()
    }
}

fn names(list: &ws::ListNamespacesResponse) -> Vec<String> {
    list.namespaces.iter().map(|described| described.namespace_info.clone().unwrap().name).collect()
}

#[tokio::test]
async fn the_configured_namespaces_are_there_at_the_start() {
    let server = start_with(ServerConfig {
        namespaces: vec!["mine".into()],
        search_attributes: vec![("Colour".into(), IndexedValueType::Keyword)],
        ..Default::default()
    })
    .await;
    for name in ["default", "mine"] {
        let described = server.describe(name).await;
        assert_eq!(described.namespace_info.unwrap().state(), NamespaceState::Registered);
        let config = described.config.unwrap();
        assert_eq!(config.workflow_execution_retention_ttl, Some(DAY));
        assert_eq!(config.custom_search_attribute_aliases["Keyword01"], "Colour");
    }
}

#[tokio::test]
async fn an_update_merges_and_is_refused_as_a_whole() {
    let server = start().await;
    server.register("ns").await;
    let update = |info: UpdateNamespaceInfo| ws::UpdateNamespaceRequest {
        namespace: "ns".into(),
        update_info: Some(info),
        ..Default::default()
    };
    let data = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let mut client = server.workflow();
    let first =
        UpdateNamespaceInfo { description: "what".into(), data: data(&[("a", "1"), ("b", "2")]), ..Default::default() };
    client.update_namespace(update(first)).await.unwrap();
    let second = UpdateNamespaceInfo { owner_email: "me".into(), data: data(&[("b", "3")]), ..Default::default() };
    let info = client.update_namespace(update(second)).await.unwrap().into_inner().namespace_info.unwrap();
    assert_eq!((info.description.as_str(), info.owner_email.as_str()), ("what", "me"));
    assert_eq!(info.data, data(&[("a", "1"), ("b", "3")]));

    for seconds in [3599, -1, i64::MIN] {
        let config = NamespaceConfig {
            workflow_execution_retention_ttl: Some(Duration { seconds, nanos: 0 }),
            ..Default::default()
        };
        let refused = ws::UpdateNamespaceRequest {
            config: Some(config),
            ..update(UpdateNamespaceInfo { description: "other".into(), ..Default::default() })
        };
        let text = "A valid retention period is not set on request.";
        assert_eq!(refusal(client.update_namespace(refused).await), plain(Code::InvalidArgument, text));
    }
    assert_eq!(server.describe("ns").await.namespace_info.unwrap().description, "what");
}

#[tokio::test]
async fn bad_binaries_are_kept_until_they_are_deleted() {
    let server = start().await;
    server.register("ns").await;
    let binary = BadBinaryInfo { reason: "broken".into(), ..Default::default() };
    let bad_binaries = Some(BadBinaries { binaries: [("sum".to_owned(), binary)].into() });
    let config = NamespaceConfig { bad_binaries, ..Default::default() };
    let request = ws::UpdateNamespaceRequest { namespace: "ns".into(), config: Some(config), ..Default::default() };
    server.workflow().update_namespace(request).await.unwrap();
    let kept = &server.describe("ns").await.config.unwrap().bad_binaries.unwrap().binaries["sum"];
    assert!(kept.create_time.is_some());
    let delete =
        ws::UpdateNamespaceRequest { namespace: "ns".into(), delete_bad_binary: "sum".into(), ..Default::default() };
    server.workflow().update_namespace(delete.clone()).await.unwrap();
    let text = "Bad binary checksum sum doesn't exists.";
    assert_eq!(refusal(server.workflow().update_namespace(delete).await), plain(Code::InvalidArgument, text));
}

#[tokio::test]
async fn a_deprecated_namespace_starts_nothing() {
    let server = start().await;
    server.register("ns").await;
    let request = ws::DeprecateNamespaceRequest { namespace: "ns".into(), ..Default::default() };
    server.workflow().deprecate_namespace(request).await.unwrap();
    let request = ws::StartWorkflowExecutionRequest { namespace: "ns".into(), ..Default::default() };
    let text = "Namespace has invalid state: Deprecated. Must be Registered for this operation.";
    let outcome = server.workflow().start_workflow_execution(request).await;
    assert_eq!(refusal(outcome), detailed(Code::FailedPrecondition, text, "NamespaceInvalidStateFailure"));
    let back = ws::UpdateNamespaceRequest {
        namespace: "ns".into(),
        update_info: Some(UpdateNamespaceInfo { state: NamespaceState::Registered.into(), ..Default::default() }),
        ..Default::default()
    };
    let text = "Invalid namespace state update.";
    assert_eq!(refusal(server.workflow().update_namespace(back).await), plain(Code::InvalidArgument, text));
}

#[tokio::test]
async fn a_deleted_namespace_frees_its_name() {
    let server = start().await;
    server.register("ns").await;
    let id = server.describe("ns").await.namespace_info.unwrap().id;
    let request = op::DeleteNamespaceRequest { namespace: "ns".into(), ..Default::default() };
    let deleted = server.operator().delete_namespace(request).await.unwrap().into_inner().deleted_namespace;
    assert_eq!(deleted, format!("ns-deleted-{}", &id[..5]));
    server.register("ns").await;
    assert_ne!(server.describe("ns").await.namespace_info.unwrap().id, id);
    let request = ws::ListWorkflowExecutionsRequest { namespace: deleted.clone(), ..Default::default() };
    let (code, _, details) = refusal(server.workflow().list_workflow_executions(request).await);
    assert_eq!((code, details), (Code::FailedPrecondition, vec!["NamespaceInvalidStateFailure".to_owned()]));

    let shown = server.list(ws::ListNamespacesRequest::default()).await;
    assert!(!names(&shown).contains(&deleted));
    let namespace_filter = Some(NamespaceFilter { include_deleted: true });
    let all = server.list(ws::ListNamespacesRequest { namespace_filter, ..Default::default() }).await;
    assert!(names(&all).contains(&deleted));
}

#[tokio::test]
async fn pages_of_the_list_hold_each_namespace_once() {
    let server = start().await;
    for number in 0..5 {
        server.register(&format!("ns{number}")).await;
    }
    for page_size in [1, 2, 3, 7, 100] {
        let (mut found, mut next_page_token) = (Vec::new(), Default::default());
        loop {
            let page =
                server.list(ws::ListNamespacesRequest { page_size, next_page_token, ..Default::default() }).await;
            assert!(page.namespaces.len() <= page_size as usize);
            found.extend(names(&page));
            next_page_token = page.next_page_token;
            if next_page_token.is_empty() {
                break;
            }
        }
        found.sort();
        assert_eq!(found, ["default", "ns0", "ns1", "ns2", "ns3", "ns4", "temporal-system"]);
    }
}

#[tokio::test]
async fn search_attributes_are_added_all_or_none() {
    let server = start().await;
    server.register("ns").await;
    let add = |names: &[(&str, IndexedValueType)]| op::AddSearchAttributesRequest {
        namespace: "ns".into(),
        search_attributes: names.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).into())).collect(),
    };
    let mut client = server.operator();
    let refused = add(&[("Good", IndexedValueType::Keyword), ("RunId", IndexedValueType::Keyword)]);
    let text = "Search attribute RunId is reserved by system.";
    assert_eq!(refusal(client.add_search_attributes(refused).await), plain(Code::InvalidArgument, text));
    client.add_search_attributes(add(&[("Count", IndexedValueType::Int)])).await.unwrap();
    let list = op::ListSearchAttributesRequest { namespace: "ns".into() };
    let listed = client.list_search_attributes(list.clone()).await.unwrap().into_inner();
    assert_eq!(listed.custom_attributes, [("Count".to_owned(), IndexedValueType::Int.into())].into());
    assert_eq!(listed.system_attributes["StartTime"], i32::from(IndexedValueType::Datetime));
    let remove = op::RemoveSearchAttributesRequest {
        namespace: "ns".into(),
        search_attributes: vec!["Count".into(), "Nope".into()],
    };
    client.remove_search_attributes(remove).await.unwrap();
    let listed = client.list_search_attributes(list).await.unwrap().into_inner();
    assert!(listed.custom_attributes.is_empty());
}
