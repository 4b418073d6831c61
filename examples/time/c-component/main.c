// A sidecar that tells the time, as a component for wasi:http/proxy: the host
// calls handle for each request, in an instance of its own. time.h and what it
// declares are wit-bindgen's, made from ../../wit.
#include <stdio.h>
#include <string.h>

#include "time.h"

// RFC 3339 from seconds since 1970. The Gregorian calendar repeats every 400
// years (146097 days); counted from 1 March, a leap day is the last of its year.
static void rfc3339(char *out, size_t size, uint64_t unix) {
	unsigned days = unix / 86400 + 719468, second = unix % 86400;
	unsigned era = days / 146097, day = days % 146097;
	unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= 365 * year + year / 4 - year / 100;
	unsigned month = (5 * day + 2) / 153; // since March
	day -= (153 * month + 2) / 5;
	month += month < 10 ? 3 : -9;
	year += era * 400 + (month <= 2);
	snprintf(out, size, "%04u-%02u-%02uT%02u:%02u:%02uZ", year, month, day + 1, second / 3600, second / 60 % 60, second % 60);
}

// Sends a response with one field and a body.
static void answer(wasi_http_types_own_response_outparam_t out, const char *type, const char *text) {
	wasi_http_types_own_fields_t fields = wasi_http_types_constructor_fields();
	time_string_t name;
	time_string_set(&name, "content-type");
	wasi_http_types_field_value_t value = {(uint8_t *)type, strlen(type)};
	wasi_http_types_header_error_t refused;
	if (!wasi_http_types_method_fields_append(wasi_http_types_borrow_fields(fields), &name, &value, &refused)) __builtin_trap();

	wasi_http_types_result_own_outgoing_response_error_code_t response = {
		.val.ok = wasi_http_types_constructor_outgoing_response(fields),
	};
	wasi_http_types_own_outgoing_body_t body;
	if (!wasi_http_types_method_outgoing_response_body(wasi_http_types_borrow_outgoing_response(response.val.ok), &body)) __builtin_trap();
	wasi_http_types_static_response_outparam_set(out, &response);

	wasi_http_types_own_output_stream_t stream;
	if (!wasi_http_types_method_outgoing_body_write(wasi_http_types_borrow_outgoing_body(body), &stream)) __builtin_trap();
	time_list_u8_t bytes = {(uint8_t *)text, strlen(text)};
	wasi_io_streams_stream_error_t gone; // the caller; there is nobody to tell
	wasi_io_streams_method_output_stream_blocking_write_and_flush(wasi_io_streams_borrow_output_stream(stream), &bytes, &gone);
	wasi_io_streams_output_stream_drop_own(stream);
	wasi_http_types_error_code_t unfinished;
	wasi_http_types_static_outgoing_body_finish(body, NULL, &unfinished);
}

void exports_wasi_http_incoming_handler_handle(exports_wasi_http_incoming_handler_own_incoming_request_t request, exports_wasi_http_incoming_handler_own_response_outparam_t out) {
	wasi_clocks_wall_clock_datetime_t now;
	wasi_clocks_wall_clock_now(&now);
	char time[32];
	rfc3339(time, sizeof time, now.seconds);

	time_string_t path;
	char text[160];
	if (wasi_http_types_method_incoming_request_path_with_query(wasi_http_types_borrow_incoming_request(request), &path) &&
	    path.len >= 12 && memcmp(path.ptr + path.len - 12, "?format=text", 12) == 0) {
		snprintf(text, sizeof text, "%s\n", time);
		answer(out, "text/plain", text);
		return;
	}

	// Drawn anew in each instance, so a caller can tell them apart.
	uint64_t id = wasi_random_random_get_random_u64();
	snprintf(text, sizeof text, "{\"time\": \"%s\", \"unix\": %llu, \"instance\": \"%016llx\", \"language\": \"c\"}\n", time, (unsigned long long)now.seconds, (unsigned long long)id);
	answer(out, "application/json", text);
}
