# SPDX-License-Identifier: MIT
"""What gdb can tell of regions, in a process that stands still and in a core file.

    vmalloc regions             each region: handle, name, method, discipline, segments, extent, bytes in use
    vmalloc segments REGION     its segments; REGION is an expression, a handle's address or a region's name
    vmalloc block ADDRESS       whose the address is: region, block, size, in use or free; in a region of Vmdebug
                                who allocated and freed it

and printers for Vmalloc_t and Vmstat_t.  gdb loads this by itself with an installed library; otherwise:
source share/gdb/vmalloc-gdb.py.

Nothing is called in the process, and nothing is believed that was read: lists end after VM_MANY steps, what cannot
be read is said to be so.  The structures are those of the library's debug information (it is built with -g, or
its distribution has it apart); without, "vmalloc block" asks the library in a process that can run.

All that gdb sources has one name space: hence the prefixes.
"""
import gdb
import gdb.printing

VM_MANY = 1000000
VM_PAGE = 4096
VM_BEST, VM_POOL, VM_LAST, VM_DEBUG, VM_OVER = 0o100, 0o200, 0o400, 0o1000, 0o3000  # VM_MT...; VM_OVER: VM_MTDEBUG | VM_MTPROFILE
VM_REGION_MAGIC, VM_DISC_MAGIC, VM_OVER_MAGIC = 0x564d5247, 0x564d4443, 0x4f564552
VM_NO_RUN, VM_FREE_RUN, VM_SLAB, VM_LARGE = 0, 1, 2, 3  # BE_...


def vm_number(value):
    return int(value) & (1 << 64) - 1 if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR else int(value)


def vm_memory(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def vm_text(value, limit=64):
    """A short string; what cannot be read is empty."""
    try:
        return value.string('utf-8', 'replace', limit).split('\0')[0]
    except gdb.error:
        return ''


def vm_at(type_name, address):
    return gdb.Value(address).cast(gdb.lookup_type(type_name).pointer()).dereference()


def vm_offset(type_name, *path):
    """Bytes from the start of a structure to a member, of a member."""
    kind, place = gdb.lookup_type(type_name).strip_typedefs(), 0
    for name in path:
        # members of structures without a name are found through them
        field = next(f for f in kind.fields() if f.name == name)
        place += field.bitpos // 8
        kind = field.type.strip_typedefs()
    return place


def vm_order():
    return 'big' if 'big endian' in gdb.execute('show endian', to_string=True) else 'little'


def vm_integer(data, place, size):
    return int.from_bytes(data[place:place + size], vm_order())


def vm_pointer(data, place):
    return vm_integer(data, place, gdb.lookup_type('void').pointer().sizeof)


def vm_bits(data):
    """Words of 64 bits so that vm_bit() finds theirs, whatever the order of bytes."""
    if vm_order() == 'little':
        return data
    return b''.join(data[i:i + 8][::-1] for i in range(0, len(data), 8))


def vm_bit(words, i):
    return words[i >> 3] >> (i & 7) & 1


# ---- regions ----

def vm_marks():
    """The mark of each copy of the library in the process, with the objfile that has its names."""
    for objfile in gdb.objfiles():
        symbol = objfile.lookup_global_symbol('vmr_mark') or objfile.lookup_static_symbol('vmr_mark')
        if symbol is not None:
            yield objfile, symbol.value()


class VmRegion:
    def __init__(self, objfile, mark, handle):
        self.objfile, self.mark, self.handle = objfile, mark, handle
        self.address = vm_number(handle.address)
        self.data = handle['data'].cast(gdb.lookup_type('struct _vmdata_s').pointer()).dereference()

    def alive(self):
        try:
            return vm_number(self.handle['data']) != 0 and int(self.data['magic']) == VM_REGION_MAGIC
        except gdb.MemoryError:
            return False

    def name(self):
        own = vm_text(self.data['name'])
        return own or ('Vmheap' if self.address == vm_number(self.mark['heap']) else '')

    def methods(self):
        """Its method, and the one below if it works over another."""
        meth = self.handle['meth']
        if not int(meth['meth']) & VM_OVER:
            return [meth]
        over = vm_at('vmmt_over_t', vm_number(meth['more']) - vm_offset('vmmt_over_t', 'more'))
        if int(over['magic']) != VM_OVER_MAGIC:
            return [meth]
        return [meth, over['under'].dereference()]

    def method(self):
        return ' over '.join(vm_text(m['more']['name']) for m in self.methods())

    def discipline(self):
        disc = self.handle['disc'].dereference()
        function = vm_number(disc['memoryf'])
        traits = self.objfile.lookup_global_symbol('vmr_traits')
        if traits is not None:
            start, size = traits.value().address, gdb.lookup_type('vmr_traits_t').sizeof
            for i in range(64):
                trait = vm_at('vmr_traits_t', vm_number(start) + i * size)
                if vm_number(trait['memoryf']) in (0, function):
                    break
            if vm_number(trait['memoryf']):
                return vm_text(trait['name'])
        if gdb.lookup_type('Vmdiscmore_t').sizeof <= int(disc['size']) <= 65536:
            more = vm_at('Vmdiscmore_t', vm_number(disc.address))
            if int(more['tag']) == VM_DISC_MAGIC and vm_number(more['name']):
                return vm_text(more['name'])
        block = gdb.block_for_pc(function)
        return f'{block.function.name}()' if block is not None and block.function else hex(function)

    def segments(self):
        """(address, bytes) of each, newest first."""
        segment, n = self.data['segs'], 0
        while vm_number(segment) and n < VM_MANY:
            yield vm_number(segment['addr']), int(segment['extent'])
            segment, n = segment['next'], n + 1

    def engine(self):
        """What knows the blocks: the method's state, by the method that cuts them; None: not one of the library's."""
        kind = {VM_BEST: VmBest, VM_POOL: VmPool, VM_LAST: VmLast}.get(int(self.methods()[-1]['meth']) & (VM_BEST | VM_POOL | VM_LAST))
        size = gdb.lookup_type('struct _vmdata_s').sizeof
        return kind and kind(vm_number(self.handle['data']) + (size + 15) // 16 * 16)

    def busy(self):
        """Bytes in blocks as text, "?" when that cannot be told."""
        try:
            engine = self.engine()
            return '?' if engine is None else str(engine.busy())
        except gdb.MemoryError:
            return '?'


def vm_regions():
    known = False
    for objfile, mark in vm_marks():
        known = True
        try:
            handle, n = mark['heap'], 0
            while vm_number(handle) and n < VM_MANY:
                region = VmRegion(objfile, mark, handle.dereference())
                if region.alive():
                    yield region
                handle, n = handle['next'], n + 1
        except gdb.MemoryError:
            gdb.write('the list of regions ends where memory cannot be read\n')
    if not known:
        raise gdb.GdbError('no libvmalloc with debug information in this program')


def vm_find(words):
    """The region that an argument means: a name, or an expression of its handle's address."""
    live = list(vm_regions())
    named = [r for r in live if r.name() == words]
    if not named:
        try:
            address = vm_number(gdb.parse_and_eval(words))
        except gdb.error as error:
            raise gdb.GdbError(f'no region has this name, and: {error}')
        named = [r for r in live if r.address == address]
    if not named:
        raise gdb.GdbError(f'{words} is no region: see vmalloc regions')
    return named[0]


# ---- blocks: twins of what the methods do, see src/peek/blocks.c ----
# where(address) tells (start, size, in use) of the block, or in a sentence what is there instead.

class VmBest:
    def __init__(self, address):
        self.state = vm_at('vmbe_t', address)

    def runs(self):
        """The bytes of each descriptor."""
        size = gdb.lookup_type('vmbe_run_t').sizeof
        meta, n = self.state['metas'], 0
        while vm_number(meta) and n < VM_MANY:
            count = int(meta['u']['m']['count'])
            every = vm_memory(vm_number(meta), min(count, VM_MANY) * size)
            for i in range(1, count):
                yield every[i * size:(i + 1) * size]
            meta, n = meta['u']['m']['next'], n + 1

    def fields(self):
        names = {'base': ('base',), 'cls': ('cls',), 'last': ('last',), 'kind': ('kind',), 'npages': ('npages',),
                 'kept': ('kept',), 'word': ('u', 'word'), 'page': ('u', 'l', 'page'), 'remote': ('remote',), 'lane': ('lane',)}
        return {name: vm_offset('vmbe_run_t', *path) for name, path in names.items()}

    @staticmethod
    def freebits(run, f):
        both = zip(run[f['word']:f['word'] + 32], run[f['remote']:f['remote'] + 32])
        return vm_bits(bytes(a | b for a, b in both))

    def sizes(self):
        return gdb.lookup_global_symbol('vmbe_classbytes').value()

    def busy(self):
        f, sizes, live, stashed = self.fields(), self.sizes(), {}, 0
        for run in self.runs():
            if run[f['kind']] == VM_SLAB and not vm_pointer(run, f['lane']) & 2:
                free = int.from_bytes(self.freebits(run, f), 'little') & (1 << run[f['last']] + 1) - 1
                cls = run[f['cls']]
                live[cls] = live.get(cls, 0) + run[f['last']] + 1 - bin(free).count('1')
            elif run[f['kind']] == VM_LARGE and run[f['kept']]:  # free, in a lane's stash
                stashed += vm_integer(run, f['npages'], 4) * VM_PAGE
        return (int(self.state['slarge']) + int(self.state['ssmall']) - stashed +
                sum(n * int(sizes[cls]) for cls, n in live.items()))

    def where(self, address):
        f = self.fields()
        for run in self.runs():
            kind = run[f['kind']]
            pages = vm_integer(run, f['npages'], 4) * VM_PAGE
            base = vm_pointer(run, f['base'])
            page = vm_pointer(run, f['page']) if kind == VM_LARGE else base
            if kind != VM_NO_RUN and page <= address < page + pages:
                return self.inrun(run, f, kind, base, page + pages, address)
        return self.insmall(address)

    def inrun(self, run, f, kind, base, end, address):
        if kind == VM_LARGE:
            return (base, end - base, not run[f['kept']]) if address >= base else 'in front of a block that is aligned'
        if kind == VM_FREE_RUN:
            return f'free pages, from {base:#x} to {end:#x}'
        if kind != VM_SLAB:
            return "the method's bookkeeping"
        size = int(self.sizes()[run[f['cls']]])
        i = (address - base) // size
        if i > run[f['last']]:
            return 'the end of a slab, too small for a block'
        return base + i * size, size, not vm_bit(self.freebits(run, f), i)

    def insmall(self, address):
        area, n = self.state['smalls'], 0
        while vm_number(area) and n < VM_MANY:
            base, bump = vm_number(area['base']), int(area['bump'])
            granule = (address - base) // 16
            if 0 <= granule < int(area['n']):
                words = (int(area['n']) + 63) // 64 * 8
                start, busy = (vm_bits(vm_memory(vm_number(area[m]), words)) for m in ('start', 'busy'))
                if granule >= bump or not vm_bit(busy, granule):
                    return 'free'
                first = granule
                while first > 0 and not vm_bit(start, first):
                    first -= 1
                last = granule + 1
                while last < bump and vm_bit(busy, last) and not vm_bit(start, last):
                    last += 1
                return base + first * 16, (last - first) * 16, True
            area, n = area['next'], n + 1
        return "the region's or the method's bookkeeping"


class VmLast:
    HOLE, BIG = 0x20, 0x40  # VMLA_IS...

    def __init__(self, address):
        self.state = vm_at('vmla_t', address)

    def busy(self):
        current = vm_number(self.state['next']) - vm_number(self.state['cur']['base'])
        return int(self.state['used']) + current - int(self.state['hole'])

    def where(self, address):
        part, n = self.state['top'], 0
        while vm_number(part) and n < VM_MANY:
            current = vm_number(part) == vm_number(self.state['cur'])
            base, fill = vm_number(part['base']), vm_number(self.state['next'] if current else part['fill'])
            if base <= address < fill:
                return self.inpart(part, base, fill, address)
            if fill <= address < vm_number(part['lim']):
                return 'free: behind the last block'
            part, n = part['below'], n + 1
        return "the region's or the method's bookkeeping, or free"

    def inpart(self, part, base, fill, address):
        lim = vm_number(part['lim'])
        code = lim + (fill - base + 15) // 16
        codes = vm_memory(lim, code - lim)
        big, n = vm_number(part['big']), 0
        while big and n < VM_MANY:  # inside of these the map is not kept
            word = gdb.lookup_type('void').pointer().sizeof
            note = vm_memory((lim + (big - base) // 16 + word) // word * word, 2 * word)
            size, prev = vm_pointer(note, 0), vm_pointer(note, word)
            if big <= address < big + size:
                return big, size, not codes[(big - base) // 16] & self.HOLE
            big, n = prev, n + 1
        first = (address - base) // 16
        while first > 0 and codes[first] == 0:
            first -= 1
        end = (address - base) // 16 + 1
        while end < len(codes) and codes[end] == 0:
            end += 1
        return base + first * 16, (end - first) * 16, not codes[first] & self.HOLE


class VmPool:
    def __init__(self, address):
        self.state = vm_at('vmpo_t', address)

    def parts(self):
        part, n = self.state['parts'], 0
        while vm_number(part) and n < VM_MANY:
            yield vm_number(part['base']), int(part['cut']), int(part['span']), vm_number(part['live'])
            part, n = part['next'], n + 1

    def busy(self):
        stride = int(self.state['stride'])
        live = sum(vm_memory(live, cut // stride).count(1) for _, cut, _, live in self.parts() if stride and cut)
        return live * int(self.state['size'])

    def where(self, address):
        stride = int(self.state['stride'])
        for base, cut, span, live in self.parts():
            if base <= address < base + cut:
                i = (address - base) // stride
                return base + i * stride, int(self.state['size']), vm_memory(live + i, 1) == b'\1'
            if base + cut <= address < base + span:
                return 'free: no block was cut here yet'
        return "the region's or the method's bookkeeping"


# ---- blocks of the program over those that the method below cut: twins of src/method/debug/books.h and
# src/method/profile/count.h. below: (start, size, in use) of the block that was cut.
# where(below, address) tells lines, or None: nothing is known of it.

VM_FRAMES = 5


def vm_frame(entry):
    """An entry of a stack: what it returns to, or the place plus one."""
    pc = entry - 1
    block = gdb.block_for_pc(pc)
    while block is not None and block.function is None:
        block = block.superblock
    place = gdb.find_pc_line(pc)
    name = block.function.print_name if block is not None else None
    if name is None:
        said = gdb.execute(f'info symbol {pc:#x}', to_string=True).split()
        name = said[0] if said[:2] != ['No', 'symbol'] and said else hex(pc)
    return f'{name}  {place.symtab.filename}:{place.line}' if place.symtab is not None else name


def vm_inside(start, size, address):
    """", so many bytes behind its start", or outside of it."""
    if address < start:
        return f', {start - address} bytes in front of it'
    if address >= start + size and size + address - start > 0:
        return f', {address - start - size} bytes behind its end'
    return f', {address - start} bytes behind its start' if address != start else ''


class VmDebug:
    NONE, LIVE, FREED, CLEARED = 0, 1, 2, 3  # VMDG_...

    def __init__(self, objfile):
        self.objfile = objfile

    def symbol(self, name):
        return self.objfile.lookup_global_symbol(name).value()

    def numbers(self, start, end):
        """Of the descriptors whose blocks may begin in [start, end): by the rules of pages, and in granules."""
        shift, granule, page, piece = 27, 32, 4096, 22  # VMDG_LEAFSHIFT, VMDG_GRANULE, VMB_PAGE, VMDG_PIECESHIFT
        word = gdb.lookup_type('void').pointer().sizeof
        root = self.symbol('vmdg_root')
        gran, rules = vm_offset('vmdg_leaf_t', 'gran'), vm_offset('vmdg_leaf_t', 'rule')
        while start < end and vm_number(root):
            leaf, stop = vm_number(root[start >> shift]), min(end, start - start % page + page)
            if leaf:
                at = start % (1 << shift)
                rule = vm_integer(vm_memory(leaf + rules + at // page * 8, 8), 0, 8)
                if rule & 1 << 31:  # VMDG_GRANS
                    count = (stop - start + granule - 1) // granule
                    numbers = vm_pointer(vm_memory(leaf + gran + (at >> piece) * word, word), 0)
                    if numbers:
                        words = vm_memory(numbers + at % (1 << piece) // granule * 4, 4 * count)
                        yield from filter(None, (vm_integer(words, 4 * i, 4) for i in range(count)))
                yield from self.seats(rule, start % page, (stop - 1) % page)
            start = stop

    def seats(self, rule, first, last):
        number, factor = rule & (1 << 31) - 1, rule >> 32 & 0xffff
        return range(number + (first * factor >> 20), number + (last * factor >> 20) + 1) if number else ()

    def descriptor(self, number):
        chunk = self.symbol('vmdg_chunk')[number >> 14]  # VMDG_CHUNKSHIFT
        return chunk.dereference()['desc'][number & (1 << 14) - 1]

    def stack(self, number):
        """Of the table of stacks (src/stack/table.c)."""
        every = [s for s in gdb.lookup_static_symbols('chunks') if s.symtab.filename.endswith('stack/table.c')]
        mine = [s for s in every if s.symtab.objfile == self.objfile] or every
        if number == 0 or not mine:
            return []
        node = vm_number(mine[0].value()[number // 131072]) + number % 131072 * 8
        word = gdb.lookup_type('void').pointer().sizeof
        head = vm_memory(node, 8 + word)
        count = min(vm_pointer(head, 8), VM_FRAMES + 3)
        entries = vm_memory(node + 8 + word, count * word)
        return [vm_pointer(entries, i * word) for i in range(count)]

    def frames(self, title, number):
        entries = self.stack(number)[:VM_FRAMES]
        return [f'    {title}:'] + [f'      #{i}  {vm_frame(entry)}' for i, entry in enumerate(entries)] if entries else []

    def where(self, below, address):
        # What was freed may have gone back to the method below: then it is looked for close before the address.
        start, size = below[:2] if below else (address - 65536, 65536 + 16)
        for number in self.numbers(start, start + min(size, 1 << 20)):
            desc = self.descriptor(number)
            what, block = int(desc['what']), int(desc['where']) & (1 << 48) - 1
            state, asked = what >> 57 & 7, what & (1 << 44) - 1
            if not start <= block < start + size or state == self.NONE or what >> 45 & 1:  # VMDG_ASTRAY
                continue
            if not below and not block - 16 <= address < block + asked + 16:
                continue
            said = {self.LIVE: 'in use', self.FREED: 'freed' + (', in quarantine' if below else ''), self.CLEARED: 'gone with vmclear()'}
            lines = [f'block {block:#x} of {asked} bytes, {said.get(state, "free")}{vm_inside(block, asked, address)}']
            lines += self.frames(f'allocated, operation {int(desc["op"])}', int(desc['alloc']))
            if state != self.LIVE:
                lines += self.frames('freed', int(desc['freed']))
            return lines
        return None


class VmProfile:
    TAIL = 16  # VMPF_TAIL

    def __init__(self, objfile):
        self.objfile = objfile

    def where(self, below, address):
        start, size, used = below or (0, 0, False)
        if not used or size < self.TAIL:
            return None
        tail = vm_memory(start + size - self.TAIL, self.TAIL)
        who, last = vm_integer(tail, 0, 8), vm_integer(tail, 8, 8)
        asked, every = last & (1 << 48) - 1, (1 << 64) - 1
        x = (who ^ asked << 20 & every ^ asked) * 0xd6e8feb86659fd93 & every
        session = int(self.objfile.lookup_global_symbol('vmpf').value()['session'])
        if (x >> 48 ^ session) & 0xffff != last >> 48 or asked > size - self.TAIL:
            return None
        return [f'block {start:#x} of {asked} bytes, in use{vm_inside(start, asked, address)}']


# ---- the commands ----

class Vmalloc(gdb.Command):
    """What there is to know of regions: vmalloc regions, vmalloc segments REGION, vmalloc block ADDRESS."""

    def __init__(self):
        super().__init__('vmalloc', gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)


class VmRegions(gdb.Command):
    """List the regions: handle, name, method, discipline, segments, extent and bytes in blocks."""

    def __init__(self):
        super().__init__('vmalloc regions', gdb.COMMAND_DATA, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        rows = [('handle', 'name', 'method', 'discipline', 'segments', 'extent', 'busy')]
        for r in vm_regions():
            rows.append((hex(r.address), r.name(), r.method(), r.discipline(), str(int(r.data['nseg'])),
                         str(int(r.data['extent'])), r.busy()))
        widths = [max(len(row[i]) for row in rows) for i in range(7)]
        for row in rows:
            left = [row[i].ljust(widths[i]) for i in range(4)]
            right = [row[i].rjust(widths[i]) for i in range(4, 7)]
            gdb.write('  '.join(left + right) + '\n')


class VmSegments(gdb.Command):
    """List the segments of a region: vmalloc segments REGION, its name or an expression of its handle."""

    def __init__(self):
        super().__init__('vmalloc segments', gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError('which region? its name, or an expression of its handle')
        for start, extent in vm_find(argument).segments():
            gdb.write(f'{start:#x} to {start + extent:#x}, {extent} bytes\n')


class VmBlock(gdb.Command):
    """Tell whose an address is: vmalloc block ADDRESS."""

    def __init__(self):
        super().__init__('vmalloc block', gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError('which address?')
        address = vm_number(gdb.parse_and_eval(argument))
        if not any(True for _ in vm_marks()):
            return self.ask(address)
        around = sorted((extent, r.address, start, r) for r in vm_regions() for start, extent in r.segments()
                        if start <= address < start + extent)
        if not around:
            gdb.write(f'{address:#x} is in no region\n')
        for i, (extent, _, start, region) in enumerate(around):
            called = f' "{region.name()}"' if region.name() else ''
            gdb.write(f'{"which lies in" if i else format(address, "#x") + " is in"} region '
                      f'{region.address:#x}{called}, {region.method()}, segment {start:#x} of {extent} bytes\n')
            gdb.write(f'  {self.told(region, address)}\n')

    @staticmethod
    def told(region, address):
        engine = region.engine()
        if engine is None:
            return "a method of the program's own, whose blocks are not known"
        place = engine.where(address)
        over = VmBlock.over(region, place, address) if len(region.methods()) > 1 else None
        if isinstance(place, str):
            return place if over is None else '\n'.join(over + [f'    where it lay is now {place}'])
        start, size, used = place
        if over is not None:
            return '\n'.join(over + [f'    it lies in {start:#x} of {size} bytes, as {region.methods()[1]["more"]["name"].string()} cut it'])
        cut = "; as cut below: the program's block lies in it" if len(region.methods()) > 1 else ''
        return f'block {start:#x} of {size} bytes, {"in use" if used else "free"}{vm_inside(start, size, address)}{cut}'

    @staticmethod
    def over(region, place, address):
        """What the upper method knows; None: nothing."""
        upper = VmDebug if int(region.handle['meth']['meth']) & VM_DEBUG else VmProfile
        try:
            return upper(region.objfile).where(None if isinstance(place, str) else place, address)
        except (gdb.error, AttributeError):  # memory that cannot be read, a build without the names
            return None

    @staticmethod
    def ask(address):
        """Without debug information: by calls, in a process that can run."""
        try:
            vm = int(gdb.parse_and_eval(f'((void *(*)(void *))vmregion)((void *){address})'))
            if vm == 0:
                return gdb.write(f'{address:#x} is in no region\n')
            within = int(gdb.parse_and_eval(f'((long (*)(void *, void *))vmaddr)((void *){vm}, (void *){address})'))
            gdb.write(f'{address:#x} is in region {vm & (1 << 64) - 1:#x}\n')
            gdb.write(f'  block {address - within:#x}, in use, {within} bytes behind its start\n' if within >= 0
                      else '  no block in use\n')
        except gdb.error as error:
            raise gdb.GdbError(f'no libvmalloc with debug information in this program, and: {error}')


# ---- printers ----

class VmPrintRegion:
    """Vmalloc_t: what vmalloc regions tells, in a line."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        if not vm_number(self.value['data']):
            return 'a region whose memory has gone'
        try:
            for r in vm_regions():
                if r.address == vm_number(self.value.address):
                    called = f'region "{r.name()}"' if r.name() else 'region'
                    return (f'{called}, {r.method()} on {r.discipline()}, {int(r.data["nseg"])} segments of '
                            f'{int(r.data["extent"])} bytes, {r.busy()} in blocks')
        except (gdb.error, gdb.GdbError, StopIteration):
            pass
        return f'region with state at {vm_number(self.value["data"]):#x}'


class VmPrintStat:
    """Vmstat_t: members that are not 0, texts to their end."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        return 'Vmstat_t'

    def children(self):
        for field in self.value.type.strip_typedefs().fields():
            member = self.value[field.name]
            if member.type.strip_typedefs().code == gdb.TYPE_CODE_ARRAY:
                if vm_text(member, member.type.sizeof):
                    yield field.name, f'"{vm_text(member, member.type.sizeof)}"'
            elif field.name == 'mode':
                yield field.name, oct(int(member)).replace('0o', '0')
            elif int(member):
                yield field.name, member


def vm_load():
    for command in (Vmalloc, VmRegions, VmSegments, VmBlock):
        command()
    printers = gdb.printing.RegexpCollectionPrettyPrinter('vmalloc')
    printers.add_printer('Vmalloc_t', '^_vmalloc_s$', VmPrintRegion)
    printers.add_printer('Vmstat_t', '^_vmstat_s$', VmPrintStat)
    gdb.printing.register_pretty_printer(None, printers, replace=True)


vm_load()
