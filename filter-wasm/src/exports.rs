#![expect(unsafe_code, reason = "exported symbols; no pointer is touched here")]
//! The functions that Envoy calls (proxy-wasm ABI 0.2.1).
//!
//! Only those that are needed are there: Envoy skips a call into the VM for each that is missing,
//! and each call costs every request.

use throughline_session::filter::Side;

use crate::abi;
use crate::module::with_module;

const CONTINUE: u32 = 0;

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    abi::initialize();
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    abi::allocate(size)
}

/// `parent` is 0 for a root context (one per plugin configuration), the root's id for a stream.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
    with_module(|module| module.on_context_create(context, parent));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_root: u32, _size: usize) -> u32 {
    1
}

/// Always accepts: a refused configuration must not stop Envoy, it is logged and counted.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root: u32, size: usize) -> u32 {
    with_module(|module| module.on_configure(root, size));
    1
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root: u32) {
    with_module(|module| module.on_tick(root));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context: u32, _headers: u32, _end_of_stream: u32) -> u32 {
    with_module(|module| module.on_request_headers(context));
    CONTINUE
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(context: u32, size: usize, end_of_stream: u32) -> u32 {
    with_module(|module| module.on_body(context, Side::Request, size, end_of_stream != 0));
    CONTINUE
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_body(context: u32, size: usize, end_of_stream: u32) -> u32 {
    with_module(|module| module.on_body(context, Side::Response, size, end_of_stream != 0));
    CONTINUE
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_log(context: u32) {
    with_module(|module| module.on_log(context));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    with_module(|module| module.on_delete(context));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    root: u32,
    token: u32,
    _headers: u32,
    _body_size: usize,
    _trailers: u32,
) {
    with_module(|module| module.on_call_response(root, token));
}
