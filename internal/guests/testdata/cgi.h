// cgi.h is what the HTTP guests share: reading the query and writing an answer
// by CGI/1.1 (RFC 3875).
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline int cgi_hex(char c) {
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	if (c >= 'A' && c <= 'F') return c - 'A' + 10;
	return -1;
}

// query copies the decoded value of one query parameter and says whether it
// was there. A value that does not fit is cut.
static inline bool query(const char *name, char *value, size_t size) {
	const char *p = getenv("QUERY_STRING");
	size_t length = strlen(name);
	while (p && *p) {
		if (strncmp(p, name, length) == 0 && (p[length] == '=' || p[length] == '&' || !p[length])) {
			p += length + (p[length] == '=');
			size_t n = 0;
			for (; *p && *p != '&' && n + 1 < size; p++) {
				if (*p == '%' && cgi_hex(p[1]) >= 0 && cgi_hex(p[2]) >= 0) {
					value[n++] = (char)(cgi_hex(p[1]) << 4 | cgi_hex(p[2]));
					p += 2;
				} else {
					value[n++] = *p == '+' ? ' ' : *p;
				}
			}
			value[n] = 0;
			return true;
		}
		p = strchr(p, '&');
		if (p) p++;
	}
	return false;
}

static inline long long query_number(const char *name, long long fallback) {
	char value[32];
	return query(name, value, sizeof value) ? atoll(value) : fallback;
}

// variable is getenv that never returns NULL.
static inline const char *variable(const char *name) {
	const char *value = getenv(name);
	return value ? value : "";
}

// head ends the header block of a plain text answer; what follows is body.
static inline void head(void) {
	fputs("Content-Type: text/plain\r\n\r\n", stdout);
}

// cgi_send writes all of it past stdio's buffer, so that it leaves at once.
// A reader that is gone ends the guest.
static inline void cgi_send(const void *bytes, size_t n) {
	for (const char *p = bytes; n > 0;) {
		ssize_t written = write(STDOUT_FILENO, p, n);
		if (written < 0) exit(1);
		p += written;
		n -= (size_t)written;
	}
}

static inline void cgi_send_text(const char *text) {
	cgi_send(text, strlen(text));
}

// cgi_refuse answers with a status and why the last call failed: the number is
// WASI's, the words wasi-libc's.
static inline int cgi_refuse(const char *status) {
	int code = errno;
	printf("Status: %s\r\n", status);
	head();
	printf("errno %d: %s\n", code, strerror(code));
	return 0;
}
