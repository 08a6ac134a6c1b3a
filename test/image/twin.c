/* SPDX-License-Identifier: MIT */
/*
 * Lines of pages in records, and words of these: which differ and their way into a page; how small the record of a
 * small change is; that they are read back by whoever opens, goes back, and moves them to their places; and that
 * files of the versions before, which had none, are still read, and journals of them.
 */
#include "_test.h"

#include "image.h"

static void lines_that_differ_are_told_and_put_back(void **state)
{
    size_t psize = vmos_pagesize(), line = psize / VMI_LINES, i, at;
    char *a = malloc(psize), *b = malloc(psize), *l = malloc(psize);
    (void)state;
    srand(7);
    for (i = 0; i < psize; i++)
        a[i] = b[i] = (char)rand();
    assert_int_equal(vmi_lines_differ(a, b, psize), 0);
    for (at = 0; at < psize; at += psize / 512) {
        uint64_t mask = (uint64_t)1 << (at / line) | (uint64_t)1 << 63;
        b[at] ^= 1, b[psize - 1] ^= 0x40;
        assert_int_equal(vmi_lines_differ(a, b, psize), at == psize - 1 ? 0 : mask);
        i = vmi_lines_take(l, b, mask, psize);
        assert_int_equal(i, (at / line == 63 ? 1 : 2) * line);
        assert_int_equal(vmi_lines_put(a, l, mask, psize), i);
        assert_memory_equal(a, b, psize);
    }
    free(a), free(b), free(l);
}

static void words_that_differ_are_told_and_put_back(void **state)
{
    size_t psize = vmos_pagesize(), i, n;
    char *a = malloc(psize), *b = malloc(psize), *l = malloc(psize + VMI_LINES);
    uint64_t mask;
    (void)state;
    srand(8);
    for (int round = 0; round < 2000; round++) {
        for (i = 0; i < psize; i++)
            a[i] = b[i] = (char)rand();
        for (i = (size_t)rand() % 600; i > 0; i--)
            b[(size_t)rand() % (round % 2 ? psize : psize / 8)] ^= 0x10;
        mask = vmi_lines_differ(b, a, psize);
        n = vmi_words_take(l, b, a, mask, psize);
        assert_in_range(n, 0, psize + VMI_LINES);
        assert_int_equal(vmi_words_size(l, n, mask, psize), n);
        assert_int_equal(n > 0 ? vmi_words_size(l, n - 1, mask, psize) : 0, 0);
        assert_int_equal(vmi_words_put(a, l, mask, psize), n);
        assert_memory_equal(a, b, psize);
    }
    b[0] ^= 1;
    assert_int_equal(vmi_words_take(l, b, a, 1, psize), 8 + psize / 512);
    free(a), free(b), free(l);
}

static Vmimgstat_t stat_of(Vmalloc_t *vm)
{
    Vmimgstat_t st;
    assert_int_equal(vmimgstat(vm, &st), 0);
    return st;
}

/* An image with a block of n pages, the root "words", committed twice: the journal has its pages. */
static long *make(Vmalloc_t *vm, size_t n)
{
    size_t i, ps = vmos_pagesize();
    long *words = vmalloc(vm, n * ps);
    assert_non_null(words);
    assert_int_equal(vmrootset(vm, "words", words, 1, 1), 0);
    for (long round = 1; round < 3; round++) {
        for (i = 0; i < n; i++)
            memset((char *)words + i * ps, (int)round, ps);
        assert_int_equal(vmcommit(vm), 0);
    }
    return words;
}

static void a_changed_word_takes_some_hundred_bytes(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL), *reader;
    long *words = make(vm, 4), *seen;
    unsigned long before = 0;
    (void)state;
    for (long i = 0; i < 20; i++) {
        before = stat_of(vm).journal;
        words[i] = i;
        assert_int_equal(vmcommit(vm), 0);
        assert_int_equal(stat_of(vm).changed, 1);
    }
    assert_int_equal(stat_of(vm).journal - before, VMI_SECTOR); /* header, entry, a byte of words, a word */
    words[0] = 99;
    assert_int_equal(vmrollback(vm), 0);
    assert_int_equal(words[0], 0);
    before = stat_of(vm).journal;
    words[3] = 3; /* as it was */
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(stat_of(vm).journal, before);
    assert_int_equal(vmsnapshot(vm, other), 0);
    assert_int_equal(vmclose(vm), 0);
    reader = must_open(file, VM_IMGREAD | VM_IMGEXIST, NULL);
    seen = vmrootget(reader, "words", NULL);
    for (long i = 0; i < 20; i++)
        assert_int_equal(seen[i], i);
    assert_int_equal(vmclose(reader), 0);
    assert_int_equal(vmimagecheck(file, NULL, NULL), 0);
    assert_int_equal(vmimagecheck(other, NULL, NULL), 0);
}

/* Pages whole and in lines by turns, all zeros in between, with a checkpoint now and then, in a process that
 * dies; then read from the journal. */
static void whole_pages_and_lines_by_turns(void **state)
{
    size_t ps = vmos_pagesize(), i;
    int status;
    pid_t child = fork();
    Vmalloc_t *vm;
    unsigned char *bytes;
    (void)state;
    if (child == 0) {
        Vmimgopt_t opt = {.journal = 5 * ps};
        vm = vmimage(file, &opt);
        bytes = (unsigned char *)make(vm, 3);
        for (int k = 1; k <= 50; k++) {
            bytes[(size_t)k * 61 % ps] = (unsigned char)k;
            if (k % 4 == 0)
                memset(bytes + ps, k % 8 == 0 ? 0 : k, ps);
            if (k % 7 == 0)
                for (i = 0; i < ps; i += ps / 16)
                    bytes[2 * ps + i] = (unsigned char)k;
            if (vmcommit(vm) != 0)
                _exit(2);
        }
        memset(bytes, 0xee, ps);
        _exit(stat_of(vm).checkpoints > 1 ? 0 : 10 + (int)stat_of(vm).checkpoints);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(vmimagecheck(file, NULL, NULL), 0);
    for (int round = 0; round < 3; round++) {
        vm = must_open(file, round == 0 ? VM_IMGREAD | VM_IMGEXIST : VM_IMGEXIST, NULL);
        bytes = vmrootget(vm, "words", NULL);
        for (i = 0; i < 50; i++)
            assert_int_equal(bytes[(50 - i) * 61 % ps], 50 - i);
        for (i = 0; i < ps; i += ps / 16)
            assert_int_equal(bytes[2 * ps + i], 49);
        assert_int_equal(vmclose(vm), 0);
        assert_int_equal(vmimagecheck(file, NULL, NULL), 0);
    }
}

/* Words that change with each commit, with some, not for long and then again, or many at once: after each commit,
 * going back changes nothing, and what is read in the end is what was written. */
static void pages_that_change_often_are_not_overlooked(void **state)
{
    size_t ps = vmos_pagesize() / sizeof(long), i;
    static long model[40 * 65536 / sizeof(long)];
    Vmalloc_t *vm = must_open(file, 0, NULL);
    long *words = make(vm, 40), k;
    (void)state;
    memcpy(model, words, 40 * ps * sizeof *words);
    for (k = 0; k < 300; k++) {
        if (k % 100 < 40 || k % 100 > 70)
            words[7] = model[7] = k;
        words[3 * ps + (size_t)k % ps] = model[3 * ps + (size_t)k % ps] = k;
        words[(size_t)(k * 7 % 40) * ps] = model[(size_t)(k * 7 % 40) * ps] = -k;
        for (i = 0; k % 90 == 50 && i < 40; i++)
            words[i * ps + 9] = model[i * ps + 9] = k;
        assert_int_equal(vmcommit(vm), 0);
        words[5 * ps] = words[7] = 12345;
        if (k % 3 == 0) {
            assert_int_equal(vmrollback(vm), 0);
            assert_memory_equal(words, model, 40 * ps * sizeof *words);
        }
        words[5 * ps] = model[5 * ps];
        words[7] = model[7];
    }
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, VM_IMGREAD | VM_IMGEXIST, NULL);
    assert_memory_equal(vmrootget(vm, "words", NULL), model, 40 * ps * sizeof *words);
    assert_int_equal(vmclose(vm), 0);
}

/* Both headers say that the file is of an older version. */
static void make_older(unsigned to)
{
    int fd = open(file, O_RDWR);
    for (off_t at = 0; at <= (off_t)VMI_SUPER1; at += (off_t)VMI_SUPER1) {
        vmi_super_t s;
        assert_int_equal(pread(fd, &s, sizeof s, at), sizeof s);
        s.version = to;
        s.sum = vmi_sum(&s, offsetof(vmi_super_t, sum), VMI_MAGIC);
        assert_int_equal(pwrite(fd, &s, sizeof s, at), sizeof s);
    }
    close(fd);
}

static unsigned version(void)
{
    vmi_super_t s[2];
    int fd = open(file, O_RDONLY);
    assert_int_equal(pread(fd, &s[0], sizeof s[0], 0), sizeof s[0]);
    assert_int_equal(pread(fd, &s[1], sizeof s[1], (off_t)VMI_SUPER1), sizeof s[1]);
    close(fd);
    return s[s[0].seq < s[1].seq].version;
}

/* Who reads version 2 only must find no lines in what says that it is of that version. */
static void a_file_of_the_version_before_is_read_and_made_new(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    long *words = make(vm, 3);
    unsigned long before;
    (void)state;
    assert_int_equal(vmclose(vm), 0);
    make_older(2);
    vm = must_open(file, 0, NULL);
    words = vmrootget(vm, "words", NULL);
    for (int i = 0; i < 3; i++) {
        before = stat_of(vm).journal;
        words[0] = i;
        assert_int_equal(vmcommit(vm), 0);
        assert_true(stat_of(vm).journal - before > vmos_pagesize());
    }
    assert_int_equal(version(), 2);
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(version(), VMI_VERSION);
    vm = must_open(file, 0, NULL);
    words = vmrootget(vm, "words", NULL);
    assert_int_equal(words[0], 2);
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(vmimagecheck(file, NULL, NULL), 0);
}

/* A journal of version 3, with lines, left by a process that died: what it says is there. */
static void a_journal_of_version_3_is_read(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    long *words = make(vm, 3);
    int status;
    pid_t child;
    (void)state;
    assert_int_equal(vmclose(vm), 0);
    make_older(3);
    child = fork();
    if (child == 0) {
        unsigned long before;
        vm = vmimage(file, NULL);
        words = vmrootget(vm, "words", NULL);
        for (int i = 0; i < 20; i++) {
            before = stat_of(vm).journal;
            words[i] = words[i + 600] = i;
            if (vmcommit(vm) != 0 || (stat_of(vm).journal - before) % VMI_SECTOR != 0)
                _exit(2);
        }
        _exit(stat_of(vm).journal - before < 2 * VMI_SECTOR);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(version(), 3);
    for (int round = 0; round < 3; round++) {
        vm = must_open(file, round == 0 ? VM_IMGREAD | VM_IMGEXIST : VM_IMGEXIST, NULL);
        words = vmrootget(vm, "words", NULL);
        for (int i = 0; i < 20; i++)
            assert_true(words[i] == i && words[i + 600] == i);
        assert_int_equal(vmclose(vm), 0);
    }
    assert_int_equal(version(), VMI_VERSION);
    assert_int_equal(vmimagecheck(file, NULL, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_differ_are_told_and_put_back),
        cmocka_unit_test(words_that_differ_are_told_and_put_back),
        cmocka_unit_test_setup_teardown(a_changed_word_takes_some_hundred_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(whole_pages_and_lines_by_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_that_change_often_are_not_overlooked, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_of_the_version_before_is_read_and_made_new, setup, teardown),
        cmocka_unit_test_setup_teardown(a_journal_of_version_3_is_read, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
