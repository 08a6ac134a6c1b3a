#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The reference of the C and the C++ interface as HTML, made of the public headers: cmake/reference.py FOLDER

A page for each header, and index.html with all names in order.  The headers' comments are the text: what stands in
front of a declaration without an empty line between is its description, and is shown as it is laid out there.  Each
name of the interface is a link to where it is declared; a name with a manual page says which.  Those of C++ are known
by their whole name, vm::region, for without it they are words of the texts.  Complaints, status 1: a function that no
comment is about, a class without one, a name that is declared twice.

Doxygen would want its own marks in the comments, or a filter that puts them there, and takes "<vmalloc/stat.h>" and
"%p" in them for its own.
"""
import glob
import html
import os
import re
import sys

STYLE = '''body { font: 16px/1.45 sans-serif; max-width: 62em; margin: 2em auto; padding: 0 1em; color: #222 }
pre, code { font: 14px/1.4 monospace }
pre { background: #eef4fa; padding: .6em 1em; overflow-x: auto; border-left: 3px solid #456 }
.text { white-space: pre-wrap; font: 14px/1.4 monospace; margin: 1.6em 0 .4em }
a { color: #146; text-decoration: none } a:hover { text-decoration: underline }
:target { background: #fe9 }
table { border-collapse: collapse } td { padding: .1em 1em .1em 0; vertical-align: top }'''

BOILERPLATE = re.compile(
    r'#ifdef __cplusplus\n(?:extern "C" \{|\})\n#endif\n?|^#(?:ifndef|define) _?VMALLOC_\w*H(?:PP)?\b.*\n?|'
    r'^#include .*\n?|^/\* SPDX.*\n?', re.M)

TITLES = {'function': 'Functions', 'variable': 'Variables', 'type': 'Types', 'macro': 'Macros', 'class': 'C++: classes',
          'C++ function': 'C++: functions'}

# Macros under VMFL, of names that are the C library's.
STANDARD = {'malloc', 'realloc', 'calloc', 'free', 'memalign', 'valloc', 'cfree', 'strdup'}


def parts(text):
    """[(comment, code)]: a comment at the start of a line begins a part, an empty line outside of braces ends one."""
    found, comment, code, depth, inside = [], [], [], 0, False
    for line in text.split('\n') + ['']:
        if not inside and depth == 0 and (line == '' or line.startswith('/*')):
            if code or (line == '' and comment):
                found.append(('\n'.join(comment), '\n'.join(code)))
                comment, code = [], []
        if inside or (depth == 0 and line.startswith('/*')):
            comment.append(line)
            inside = '*/' not in line
        elif line:
            code.append(line)
            bare = re.sub(r'/\*.*?\*/', '', line)
            depth += bare.count('{') - bare.count('}')
    return found


def without_namespace(text):
    """A C++ header as if its names stood in no namespace; what is its own (detail) is left out."""
    text = re.sub(r'\nnamespace detail\b.*?\n\} // namespace detail\n', '\n', text, flags=re.S)
    return re.sub(r'^(?:namespace vm \{|\} // namespace vm)\n', '', text, flags=re.M)


def declared_cpp(code):
    """Classes and functions of namespace vm that a part declares; its members are told within."""
    bare = re.sub(r'/\*.*?\*/', '', code, flags=re.S)
    names = {}
    for line in bare.split('\n'):
        found = re.match(r'(?:template <.*> )?(?:class|struct|using) (\w+)\b(?! *<)', line)
        if found:
            names['vm::' + found[1]] = 'class'
        found = re.match(r'[\w:<>]+ (\w+)\(\w', line)
        if found:
            names['vm::' + found[1]] = 'C++ function'
    return names


def plain(comment):
    """The text of a comment without its stars."""
    text = re.sub(r'^/\*+ ?|[ \n]*\*+/$', '', comment.strip())
    text = re.sub(r'^ \*+ ?', '', text, flags=re.M)
    lines = text.strip('\n').split('\n')
    margin = min((len(l) - len(l.lstrip()) for l in lines[1:] if l.strip()), default=0)
    return '\n'.join([lines[0]] + [l[margin:] for l in lines[1:]]).strip('\n')


def declared(code):
    """Names that a part declares, with what they are."""
    bare = re.sub(r'/\*.*?\*/', '', code, flags=re.S).replace('\\\n', ' ')
    names = {}
    for declaration in re.findall(r'extern VM_API ([^;(]*)([;(])', bare):
        name = re.findall(r'\w+', declaration[0])[-1]
        names[name] = 'function' if declaration[1] == '(' else 'variable'
    for name in re.findall(r'typedef[^;{]*\(\s*\*\s*(\w+)\s*\)', bare):
        names[name] = 'type'
    for pair in re.findall(r'\}\s*(\w+)\s*;|typedef\s+(?:struct\s+)?\w+\s+(\w+)\s*;', bare):
        names[pair[0] or pair[1]] = 'type'
    for name in re.findall(r'^[ \t]*#[ \t]*define[ \t]+(\w+)', bare, re.M):
        names.setdefault(name, 'macro')
    return names


class Reference:
    def __init__(self, headers, pages):
        self.where, self.kind, self.complaints = {}, {}, []
        self.pages = pages
        self.parts = {}
        for header in headers:
            with open(os.path.join('include', header)) as file:
                text = BOILERPLATE.sub('', file.read())
                self.parts[header] = parts(without_namespace(text) if header.endswith('.hpp') else text)
            for comment, code in self.parts[header]:
                self.enter(header, comment, code)

    def enter_cpp(self, header, comment, code):
        for name, kind in declared_cpp(code).items():
            if name not in self.where:  # else a second form of it
                self.where[name], self.kind[name] = header, kind
                if not comment and not [c for c, _ in self.parts[header] if name[4:] in c]:
                    self.complaints.append(f'{header}: no comment is about {name}')

    def enter(self, header, comment, code):
        if header.endswith('.hpp'):
            return self.enter_cpp(header, comment, code)
        for name, kind in declared(code).items():
            if name in STANDARD:
                continue
            known = name in self.where
            if known and kind != 'macro' and self.kind[name] == kind:
                self.complaints.append(f'{header}: {name} is declared twice')
            if not known:
                self.where[name], self.kind[name] = header, kind
            if kind == 'function' and not comment and '/*' not in code:
                near = [c for c, d in self.parts[header] if c and name in c]
                if not near and not name.startswith('_vmfl'):
                    self.complaints.append(f'{header}: no comment is about {name}')

    @staticmethod
    def page(header):
        return header.replace('/', '-') + '.html'

    def linked(self, text, here, placed=None):
        """HTML of a text with names as links; with placed, a set, the first of each that is not in it becomes the target."""
        def link(match):
            name = match[0]
            header = self.where.get(name)
            if header is None:
                return name
            if placed is not None and header == here and name not in placed:
                placed.add(name)
                return f'<b id="{name}">{name}</b>'
            return f'<a href="{self.page(header) if header != here else ""}#{name}">{name}</a>'
        return re.sub(r'(?<![&\w/])(?:vm::)?[A-Za-z_]\w+(?!\w|\.h\b|/)', link, html.escape(text, quote=False))

    def coded_cpp(self, code, here, placed):
        text = self.linked(code, here)
        for name in declared_cpp(code):
            if self.where[name] == here and name not in placed:
                placed.add(name)
                text = re.sub(rf'((?:class|struct|using) |^[\w:&;]+ ){name[4:]}\b', rf'\1<b id="{name}">{name[4:]}</b>', text, count=1, flags=re.M)
        return text

    def coded(self, code, here, placed):
        """A name becomes a target only where it is declared, and not in a comment or an argument before that."""
        out = []
        for piece in re.split(r'(/\*.*?\*/)', code, flags=re.S):
            new = declared(piece if not piece.startswith('/*') else '')
            aside = set(self.where) - set(new) | placed
            text = self.linked(piece, here, aside)
            placed |= {n for n in new if f'id="{n}"' in text}
            out.append(text)
        return ''.join(out)

    def frame(self, title, body):
        return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
                f'<style>{STYLE}</style></head><body>\n{body}\n</body></html>\n')

    def header(self, header):
        placed, body = set(), [f'<p><a href="index.html">All names</a></p><h1>&lt;{header}&gt;</h1>']
        for comment, code in self.parts[header]:
            if comment:
                body.append(f'<div class="text">{self.linked(plain(comment), header)}</div>')
            if code:
                show = self.coded_cpp if header.endswith('.hpp') else self.coded
                manuals = sorted({self.pages[n] for n in declared(code) if n in self.pages})
                body.append(f'<pre>{show(code, header, placed)}</pre>')
                if manuals:
                    body.append(f'<p>Manual: {", ".join(manuals)}</p>')
        lost = [n for n, h in self.where.items() if h == header and n not in placed]
        self.complaints += [f'{header}: {n} got no place in the page' for n in lost]
        return self.frame(header, '\n'.join(body))

    def index(self):
        body = ['<h1>vmalloc: the C and C++ interface</h1><p>Made of the headers:</p><ul>']
        body += [f'<li><a href="{self.page(h)}">&lt;{h}&gt;</a></li>' for h in self.parts]
        body.append('</ul>')
        for kind in ('function', 'variable', 'type', 'macro', 'class', 'C++ function'):
            body.append(f'<h2>{TITLES[kind]}</h2><table>')
            for name in sorted((n for n, k in self.kind.items() if k == kind), key=str.lower):
                header = self.where[name]
                body.append(f'<tr><td><a href="{self.page(header)}#{name}"><code>{name}</code></a></td>'
                            f'<td>&lt;{header}&gt;</td><td>{self.pages.get(name, "")}</td></tr>')
            body.append('</table>')
        return self.frame('vmalloc', '\n'.join(body))


def manual_pages():
    """name -> "vmopen(3)", by the .Nm lines of the pages' NAME."""
    pages = {}
    for path in glob.glob('doc/man/*.3'):
        with open(path) as file:
            head = file.read().split('.Nd')[0]
        for name in re.findall(r'^\.Nm (\w+)', head, re.M):
            pages[name] = os.path.basename(path)[:-2] + '(3)'
    return pages


def main(folder):
    folder = os.path.abspath(folder)
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
    headers = ['vmalloc.h'] + sorted('vmalloc/' + h for h in os.listdir('include/vmalloc') if h.endswith(('.h', '.hpp')))
    reference = Reference(headers, manual_pages())
    os.makedirs(folder, exist_ok=True)
    texts = {reference.page(h): reference.header(h) for h in headers}
    texts['index.html'] = reference.index()
    for name, text in texts.items():
        with open(os.path.join(folder, name), 'w') as file:
            file.write(text)
    for complaint in reference.complaints:
        print(complaint, file=sys.stderr)
    return 1 if reference.complaints else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
