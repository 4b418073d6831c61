// no-output ends well without a word.
int main(void) { return 0; }
