// counter counts up in zeroed and in initialised memory and answers the count,
// which is 1 in every fresh instance.
#include "cgi.h"

static int zeroed;
static int initialised = 41;

int main(void) {
	zeroed++;
	initialised++;
	head();
	printf("%d\n", initialised == zeroed + 41 ? zeroed : -1);
	return 0;
}
