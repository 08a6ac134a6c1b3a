# SPDX-License-Identifier: MIT
# Make a text, count and index its words, sort them, put the text together again.
use strict;
use warnings;

my $lines = shift;
my $state = 42;
sub number { $state = ($state * 1103515245 + 12345) & 0x7fffffff; return $state >> 8 }

my @syllables = qw(ba ke li mo nu pra ste vol wi xa yon zet);
my @vocabulary;
for (1 .. 20000) {
    push @vocabulary, join '', map { $syllables[number() % @syllables] } 0 .. 1 + number() % 4;
}

my (%count, %where, @text);
for my $line (1 .. $lines) {
    my $text = join ' ', map { $vocabulary[number() % @vocabulary] } 1 .. 12;
    push @text, $text;
    for my $word (split / /, $text) {
        $count{$word}++;
        push @{$where{$word}}, $line;
    }
}
my @sorted = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
printf "%d words, %s %d times\n", scalar @sorted, $sorted[0], $count{$sorted[0]};
print "$_: @{$where{$_}}[0 .. 2]\n" for @sorted[0 .. 9];

my %pairs;
for (@text) {
    s/(\w+) (\w+)/$2-$1/g;
    $pairs{$_}++ for /(\w+-\w+)/g;
}
printf "%d pairs, %d bytes\n", scalar keys %pairs, length join "\n", @text;
