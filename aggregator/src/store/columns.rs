//! Rows become Arrow columns, which DuckDB takes in many times faster than rows.

use std::sync::Arc;

use duckdb::arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, ListBuilder, StringBuilder,
    StructBuilder, TimestampMicrosecondBuilder, UInt16Builder, UInt32Builder, UInt64Builder,
};
use duckdb::arrow::datatypes::{DataType, Field, Fields, Schema};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use throughline_session::wire::{BatchHeader, Record, RecordId, flag_letters};

use crate::sessions::{Part, VisitKey};

/// What a record's batch adds to its row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) position: u64,
    pub(super) header: &'a BatchHeader<'a>,
    pub(super) id: RecordId,
    pub(super) visit_start_us: i64,
}

type Texts = ListBuilder<StringBuilder>;

/// One builder per column of `records`, in the table's order.
macro_rules! columns {
    ($name:ident { $($column:ident: $builder:ty = $new:expr),+ $(,)? }) => {
        pub(super) struct $name { $($column: $builder,)+ }

        impl Default for $name {
            fn default() -> Self {
                Self { $($column: $new,)+ }
            }
        }

        impl $name {
            /// The columns so far, which stay as they are: a failed commit asks again.
            pub(super) fn batch(&self) -> Result<RecordBatch, ArrowError> {
                let mut fields = Vec::new();
                let mut arrays: Vec<ArrayRef> = Vec::new();
                $(
                    let array = self.$column.finish_cloned();
                    let array: ArrayRef = Arc::new(array);
                    fields.push(Field::new(stringify!($column), array.data_type().clone(), true));
                    arrays.push(array);
                )+
                RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            }
        }
    };
}

fn pairs() -> ListBuilder<StructBuilder> {
    let text = |name| Field::new(name, DataType::Utf8, true);
    let fields = Fields::from(vec![text("name"), text("value")]);
    ListBuilder::new(StructBuilder::from_fields(fields, 0))
}

columns!(Records {
    position: UInt64Builder = UInt64Builder::new(),
    boot: UInt64Builder = UInt64Builder::new(),
    worker: UInt32Builder = UInt32Builder::new(),
    sequence: UInt64Builder = UInt64Builder::new(),
    idx: UInt32Builder = UInt32Builder::new(),
    start: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    session: BinaryBuilder = BinaryBuilder::new(),
    request_session: BinaryBuilder = BinaryBuilder::new(),
    visit_start: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    application: StringBuilder = StringBuilder::new(),
    key: StringBuilder = StringBuilder::new(),
    capture_point: StringBuilder = StringBuilder::new(),
    policy_version: StringBuilder = StringBuilder::new(),
    node: StringBuilder = StringBuilder::new(),
    request_id: StringBuilder = StringBuilder::new(),
    trace_id: StringBuilder = StringBuilder::new(),
    method: StringBuilder = StringBuilder::new(),
    scheme: StringBuilder = StringBuilder::new(),
    host: StringBuilder = StringBuilder::new(),
    path: StringBuilder = StringBuilder::new(),
    query_names: Texts = ListBuilder::new(StringBuilder::new()),
    query_values: ListBuilder<StructBuilder> = pairs(),
    query_hash: UInt64Builder = UInt64Builder::new(),
    protocol: StringBuilder = StringBuilder::new(),
    status: UInt16Builder = UInt16Builder::new(),
    flags: StringBuilder = StringBuilder::new(),
    request_bytes: UInt64Builder = UInt64Builder::new(),
    response_bytes: UInt64Builder = UInt64Builder::new(),
    duration_us: UInt64Builder = UInt64Builder::new(),
    upstream_us: UInt64Builder = UInt64Builder::new(),
    client_ip: StringBuilder = StringBuilder::new(),
    user_agent: StringBuilder = StringBuilder::new(),
    referer_host: StringBuilder = StringBuilder::new(),
    content_type: StringBuilder = StringBuilder::new(),
    truncated: Texts = ListBuilder::new(StringBuilder::new()),
});

fn append_texts<T: AsRef<str>>(list: &mut Texts, texts: impl IntoIterator<Item = T>) {
    for text in texts {
        list.values().append_value(text);
    }
    list.append(true);
}

impl Records {
    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.position.len()
    }

    pub(super) fn push(&mut self, record: &Record<'_>, context: &Context<'_>) {
        self.push_context(record, context);
        self.push_request(record);
        self.protocol.append_option(record.protocol.as_deref());
        self.status.append_option(record.status);
        self.flags.append_value(flag_letters(record.flags));
        self.request_bytes.append_value(record.request_bytes);
        self.response_bytes.append_value(record.response_bytes);
        self.duration_us.append_value(record.duration_us);
        self.upstream_us.append_option(record.upstream_us);
        self.client_ip.append_option(record.client_ip.as_deref());
        self.user_agent.append_option(record.user_agent.as_deref());
        self.referer_host
            .append_option(record.referer_host.as_deref());
        self.content_type
            .append_option(record.content_type.as_deref());
        append_texts(&mut self.truncated, &record.truncated);
    }

    fn push_context(&mut self, record: &Record<'_>, context: &Context<'_>) {
        self.position.append_value(context.position);
        self.boot
            .append_value(u64::from_be_bytes(context.id.boot.0));
        self.worker.append_value(context.id.worker);
        self.sequence.append_value(context.id.sequence);
        self.idx.append_value(context.id.index);
        self.start.append_value(record.start_us);
        self.session.append_value(record.session.0);
        self.request_session.append_value(record.request_session.0);
        self.visit_start.append_value(context.visit_start_us);
        self.application.append_value(&record.application);
        self.key.append_value(&record.key);
        self.capture_point
            .append_value(&context.header.capture_point);
        self.policy_version
            .append_value(&context.header.policy_version);
        self.node.append_value(&context.header.node);
    }

    fn push_request(&mut self, record: &Record<'_>) {
        self.request_id.append_option(record.request_id.as_deref());
        self.trace_id.append_option(record.trace_id.as_deref());
        self.method.append_option(record.method.as_deref());
        self.scheme.append_option(record.scheme.as_deref());
        self.host.append_option(record.host.as_deref());
        self.path.append_option(record.path.as_deref());
        append_texts(&mut self.query_names, &record.query_names);
        for (name, value) in &record.query_values {
            let pair = self.query_values.values();
            for (column, text) in [(0, name), (1, value)] {
                if let Some(texts) = pair.field_builder::<StringBuilder>(column) {
                    texts.append_value(text);
                }
            }
            pair.append(true);
        }
        self.query_values.append(true);
        self.query_hash
            .append_option(record.query_hash.map(|hash| u64::from_be_bytes(hash.0)));
    }
}

columns!(VisitParts {
    position: UInt64Builder = UInt64Builder::new(),
    session: BinaryBuilder = BinaryBuilder::new(),
    visit_start: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    application: StringBuilder = StringBuilder::new(),
    key: StringBuilder = StringBuilder::new(),
    first: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    last: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    requests: UInt64Builder = UInt64Builder::new(),
    errors_4xx: UInt64Builder = UInt64Builder::new(),
    errors_5xx: UInt64Builder = UInt64Builder::new(),
    request_bytes: UInt64Builder = UInt64Builder::new(),
    response_bytes: UInt64Builder = UInt64Builder::new(),
    duration_us: UInt64Builder = UInt64Builder::new(),
    ips: Texts = ListBuilder::new(StringBuilder::new()),
    user_agents: Texts = ListBuilder::new(StringBuilder::new()),
    more: BooleanBuilder = BooleanBuilder::new(),
    ordinal: UInt64Builder = UInt64Builder::new(),
    arrived: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
});

impl VisitParts {
    pub(super) fn push(&mut self, position: u64, visit: &VisitKey, part: &Part) {
        self.position.append_value(position);
        self.session.append_value(visit.session.0);
        self.visit_start.append_value(visit.start_us);
        self.application.append_value(&part.application);
        self.key.append_value(&part.key);
        self.first.append_value(part.first_us);
        self.last.append_value(part.last_us);
        self.requests.append_value(part.requests);
        self.errors_4xx.append_value(part.errors_4xx);
        self.errors_5xx.append_value(part.errors_5xx);
        self.request_bytes.append_value(part.request_bytes);
        self.response_bytes.append_value(part.response_bytes);
        self.duration_us.append_value(part.duration_us);
        append_texts(&mut self.ips, &part.ips);
        append_texts(&mut self.user_agents, &part.user_agents);
        self.more.append_value(part.more);
        self.ordinal.append_value(part.ordinal);
        self.arrived.append_value(part.arrived_us);
    }
}
