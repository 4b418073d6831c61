// hello answers the smallest useful thing, without stdio: it is the guest to
// measure with.
#include <unistd.h>

int main(void) {
	static const char answer[] = "Content-Type: text/plain\r\n\r\nhello\n";
	return write(STDOUT_FILENO, answer, sizeof answer - 1) == sizeof answer - 1 ? 0 : 1;
}
