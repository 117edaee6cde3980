#![expect(unsafe_code, reason = "exported symbols; no pointer is touched here")]
//! The callbacks that the real filter has, doing nothing: the floor of what a filter can cost.

const CONTINUE: u32 = 0;

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Never called by Envoy here, since nothing asks for a buffer; the ABI wants it.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(_size: usize) -> *mut u8 {
    std::ptr::null_mut()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(_context: u32, _parent: u32) {}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(_context: u32, _headers: u32, _end_of_stream: u32) -> u32 {
    CONTINUE
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_log(_context: u32) {}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(_context: u32) {}
