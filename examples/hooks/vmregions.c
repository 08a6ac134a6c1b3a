/* SPDX-License-Identifier: MIT */
/*
 * A Python extension that moves the interpreter's memory into a region, through PyMem_SetAllocator():
 *
 *     import vmregions
 *     vmregions.install()          # from now on
 *     vmregions.busy()             # blocks and bytes in the region
 *
 * Blocks that Python made before go on being resized and freed by whoever made them: vmregion()
 * tells the one from the other, for any address.  So nothing has to happen before the interpreter
 * starts.  The raw domain is called by threads that do not hold the interpreter's lock: the region
 * has its own.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <vmalloc.h>

static Vmalloc_t *region;
static PyMemAllocatorEx before[3]; /* by domain; what each had before */

static void *get(void *old, size_t size)
{
    (void)old;
    return vmalloc(region, size);
}

static void *get_cleared(void *old, size_t n, size_t size)
{
    (void)old;
    if (size != 0 && n > (size_t)PY_SSIZE_T_MAX / size)
        return NULL;
    return vmresize(region, NULL, n * size != 0 ? n * size : 1, VM_RSZERO);
}

static void *resize(void *old, void *block, size_t size)
{
    PyMemAllocatorEx *was = old;

    if (block != NULL && vmregion(block) != region)
        return was->realloc(was->ctx, block, size);
    return vmresize(region, block, size != 0 ? size : 1, VM_RSMOVE | VM_RSCOPY);
}

static void put(void *old, void *block)
{
    PyMemAllocatorEx *was = old;

    if (block != NULL && vmregion(block) != region)
        was->free(was->ctx, block);
    else
        vmfree(region, block);
}

static PyObject *install(PyObject *self, PyObject *unused)
{
    static const PyMemAllocatorDomain domain[] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};

    (void)self, (void)unused;
    if (region != NULL)
        Py_RETURN_NONE;
    region = vmopen(Vmdcsystem, Vmbest, 0);
    if (region == NULL)
        return PyErr_SetFromErrno(PyExc_OSError);
    vmname(region, "python");
    for (int i = 0; i < 3; i++) {
        PyMemAllocatorEx ours = {&before[i], get, get_cleared, resize, put};
        PyMem_GetAllocator(domain[i], &before[i]);
        PyMem_SetAllocator(domain[i], &ours);
    }
    Py_RETURN_NONE;
}

static PyObject *busy(PyObject *self, PyObject *unused)
{
    Vmstat_t st = {0};

    (void)self, (void)unused;
    if (region != NULL)
        vmstat(region, &st);
    return Py_BuildValue("(nn)", (Py_ssize_t)st.n_busy, (Py_ssize_t)st.s_busy);
}

static PyMethodDef functions[] = {
    {"install", install, METH_NOARGS, "Take memory from a region from now on."},
    {"busy", busy, METH_NOARGS, "Blocks and bytes in the region."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {.m_base = PyModuleDef_HEAD_INIT,
                                    .m_name = "vmregions",
                                    .m_doc = "Python's memory in a region.",
                                    .m_size = -1,
                                    .m_methods = functions};

PyMODINIT_FUNC PyInit_vmregions(void) { return PyModule_Create(&module); }
