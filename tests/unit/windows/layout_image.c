/* SPDX-License-Identifier: MIT */
/* An image with code, constants, data with zeros behind it, relocations and exports. */
static const char text[] = "constant";
const char *volatile pointer = text;
static volatile int zeros[5000];
static volatile int data[300] = { 1, 2, 3 };

__declspec(dllexport) int sum(int index)
{
	return data[index] + zeros[index] + pointer[index];
}

int sample_entry(void *instance, unsigned reason, void *reserved)
{
	(void)instance, (void)reserved;
	return sum((int)reason);
}
