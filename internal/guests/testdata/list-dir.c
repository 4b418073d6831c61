// list-dir answers the sorted names in the directory ?path= (default "/"), one
// a line, directories with a slash, symbolic links with an @; or 404 and the
// errno.
#include "cgi.h"
#include <dirent.h>

static int by_name(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(void) {
	char path[4096] = "/";
	static char *names[4096];
	size_t count = 0;
	query("path", path, sizeof path);
	DIR *dir = opendir(path);
	if (!dir) return cgi_refuse("404 Not Found");
	for (struct dirent *e; count < 4096 && (e = readdir(dir));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
		size_t size = strlen(e->d_name) + 2;
		char *name = malloc(size);
		if (!name) return 1;
		snprintf(name, size, "%s%s", e->d_name, e->d_type == DT_DIR ? "/" : e->d_type == DT_LNK ? "@" : "");
		names[count++] = name;
	}
	closedir(dir);
	qsort(names, count, sizeof names[0], by_name);
	head();
	for (size_t i = 0; i < count; i++) puts(names[i]);
	return 0;
}
