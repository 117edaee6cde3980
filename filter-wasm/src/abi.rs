#![expect(
    unsafe_code,
    reason = "the one place that exchanges pointers with Envoy"
)]
#![cfg_attr(
    not(target_arch = "wasm32"),
    expect(
        clippy::too_many_arguments,
        reason = "the stand-ins have the ABI's arguments"
    )
)]
//! The functions that Envoy offers a module (proxy-wasm ABI 0.2.1), as safe Rust.
//!
//! Rules of this file. Every pointer handed to Envoy comes from a live slice or a local and is
//! used only during the call. Every buffer Envoy hands out was allocated by [`allocate`], which
//! Envoy calls for it, with exactly the size it then reports, and is owned by nobody else.

use std::alloc::Layout;
use std::ptr::null_mut;

/// Which header map to read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Map {
    Request = 0,
    Response = 2,
    CallResponse = 6,
}

/// Which buffer to read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Buffer {
    RequestBody = 0,
    ResponseBody = 1,
    CallResponseBody = 4,
    PluginConfiguration = 7,
}

const OK: u32 = 0;
const COUNTER: u32 = 0;
const GAUGE: u32 = 1;

/// Declares the functions of Envoy; natively, where there is no Envoy, each answers
/// 'unimplemented', so that the crate can be checked there.
macro_rules! envoy_offers {
    ($(fn $name:ident($($argument:ident: $kind:ty),* $(,)?) -> u32;)*) => {
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "env")]
        unsafe extern "C" {
            $(fn $name($($argument: $kind),*) -> u32;)*
        }
        $(
            #[cfg(not(target_arch = "wasm32"))]
            unsafe fn $name($(_: $kind),*) -> u32 {
                const UNIMPLEMENTED: u32 = 12;
                UNIMPLEMENTED
            }
        )*
    };
}

envoy_offers! {
    fn proxy_log(level: u32, message: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32, start: usize, size_max: usize, bytes: *mut *mut u8, size: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, bytes: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_property(
        path: *const u8, path_size: usize, bytes: *mut *mut u8, size: *mut usize,
    ) -> u32;
    fn proxy_get_shared_data(
        key: *const u8, key_size: usize, bytes: *mut *mut u8, size: *mut usize, version: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8, key_size: usize, value: *const u8, value_size: usize, version: u32,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_http_call(
        cluster: *const u8, cluster_size: usize, headers: *const u8, headers_size: usize,
        body: *const u8, body_size: usize, trailers: *const u8, trailers_size: usize,
        timeout_ms: u32, token: *mut u32,
    ) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8, name_size: usize, argument: *const u8, argument_size: usize,
        bytes: *mut *mut u8, size: *mut usize,
    ) -> u32;
}

/// Memory for a buffer that Envoy is about to fill; null when there is none.
pub(crate) fn allocate(size: usize) -> *mut u8 {
    match Layout::array::<u8>(size) {
        // SAFETY: the layout's size is not zero.
        Ok(layout) if size > 0 => unsafe { std::alloc::alloc(layout) },
        _ => null_mut(),
    }
}

/// Receives a buffer from Envoy: `call` gets the two out-pointers and returns the status.
fn receive(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let mut bytes: *mut u8 = null_mut();
    let mut size: usize = 0;
    if call(&raw mut bytes, &raw mut size) != OK {
        return None;
    }
    if bytes.is_null() || size == 0 {
        return Some(Vec::new());
    }
    // SAFETY: Envoy got this buffer from `allocate` with this size, filled it and gave it away.
    Some(unsafe { Vec::from_raw_parts(bytes, size, size) })
}

pub(crate) fn log(level: u32, message: &str) {
    // SAFETY: the slice is live during the call.
    unsafe { proxy_log(level, message.as_ptr(), message.len()) };
}

/// Nanoseconds since the Unix epoch.
pub(crate) fn now_ns() -> u64 {
    let mut time = 0;
    // SAFETY: the out-pointer is a live local.
    unsafe { proxy_get_current_time_nanoseconds(&raw mut time) };
    time
}

pub(crate) fn set_tick_ms(period: u32) {
    // SAFETY: takes no pointer.
    unsafe { proxy_set_tick_period_milliseconds(period) };
}

/// The start of a buffer, at most `bytes_max` of it.
pub(crate) fn buffer(buffer: Buffer, bytes_max: usize) -> Vec<u8> {
    // SAFETY: `receive` passes live out-pointers.
    receive(|bytes, size| unsafe {
        proxy_get_buffer_bytes(buffer as u32, 0, bytes_max, bytes, size)
    })
    .unwrap_or_default()
}

/// All headers of one map in Envoy's serialised form, in one call.
pub(crate) fn headers(map: Map) -> Option<Vec<u8>> {
    // SAFETY: `receive` passes live out-pointers.
    receive(|bytes, size| unsafe { proxy_get_header_map_pairs(map as u32, bytes, size) })
}

/// An attribute by its path, whose steps are separated by zero bytes.
pub(crate) fn property(path: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: the slice is live during the call; `receive` passes live out-pointers.
    receive(|bytes, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), bytes, size) })
}

/// A value that all workers share, and its version (0 where there is none).
pub(crate) fn shared(key: &str) -> (Option<Vec<u8>>, u32) {
    let mut version = 0;
    // SAFETY: the slice and the local are live during the call, like `receive`'s out-pointers.
    let value = receive(|bytes, size| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), bytes, size, &raw mut version)
    });
    (value, version)
}

/// Replaces a shared value; false when it is not of that version any more.
pub(crate) fn set_shared(key: &str, value: &[u8], version: u32) -> bool {
    // SAFETY: both slices are live during the call.
    let status = unsafe {
        proxy_set_shared_data(
            key.as_ptr(),
            key.len(),
            value.as_ptr(),
            value.len(),
            version,
        )
    };
    status == OK
}

fn define_metric(kind: u32, name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: the slice and the local are live during the call.
    let status = unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) };
    (status == OK).then_some(id)
}

pub(crate) fn define_counter(name: &str) -> Option<u32> {
    define_metric(COUNTER, name)
}

pub(crate) fn define_gauge(name: &str) -> Option<u32> {
    define_metric(GAUGE, name)
}

pub(crate) fn increment_metric(id: u32, offset: i64) {
    // SAFETY: takes no pointer.
    unsafe { proxy_increment_metric(id, offset) };
}

pub(crate) fn record_metric(id: u32, value: u64) {
    // SAFETY: takes no pointer.
    unsafe { proxy_record_metric(id, value) };
}

/// Starts an HTTP call; its token, or `None` when Envoy refuses.
pub(crate) fn http_call(
    cluster: &str,
    headers: &[u8],
    body: &[u8],
    timeout_ms: u32,
) -> Option<u32> {
    let no_trailers = 0_u32.to_le_bytes();
    let mut token = 0;
    // SAFETY: all slices and the local are live during the call.
    let status = unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            no_trailers.as_ptr(),
            no_trailers.len(),
            timeout_ms,
            &raw mut token,
        )
    };
    (status == OK).then_some(token)
}

/// Calls a function that Envoy offers beyond the ABI; `None` where it has none of this name, or
/// the call failed.
fn foreign(name: &str, argument: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: both slices are live during the call; `receive` passes live out-pointers.
    receive(|bytes, size| unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            argument.as_ptr(),
            argument.len(),
            bytes,
            size,
        )
    })
}

/// An expression over attributes (CEL), compiled once for this VM.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expression([u8; 4]);

/// Compiles an expression; `None` where Envoy was built without them.
pub(crate) fn expression(text: &str) -> Option<Expression> {
    let token = foreign("expr_create", text.as_bytes())?;
    token.try_into().ok().map(Expression)
}

/// Its value in the exchange that is handled; `None` where an attribute in it has none.
pub(crate) fn evaluate(expression: Expression) -> Option<Vec<u8>> {
    foreign("expr_evaluate", &expression.0)
}

/// Makes the calls that follow count as this context's.
pub(crate) fn set_effective_context(context: u32) {
    // SAFETY: takes no pointer.
    unsafe { proxy_set_effective_context(context) };
}

#[cfg(target_os = "wasi")]
unsafe extern "C" {
    fn __wasm_call_ctors();
}

/// Runs the C library's constructors, once, before anything else.
pub(crate) fn initialize() {
    // SAFETY: Envoy calls `_initialize` exactly once, first.
    #[cfg(target_os = "wasi")]
    unsafe {
        __wasm_call_ctors();
    }
}
