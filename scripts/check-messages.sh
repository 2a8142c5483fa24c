#!/usr/bin/env bash
# check-messages.sh [ROOT]: each text that src/ logs, debug lines excepted, stands in backquotes in
# a docs/*.md, where it is explained (docs/operations.md, "The log"). And each hint of docker_hints
# (src/task/launch_hint.cpp) has its row in docs/operations.md: Docker's words and the advice.
#
# It sees string literals in the first argument of a log call and in action::Ignore, on whatever lines
# clang-format put them. It cannot see what a text is put together of elsewhere: a variable
# (log.warning(text): the warnings of settings, Docker parameters, registry files and Vault), and
# what stands in front of a literal (what + " renewed" is `... renewed`).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "${1:-$SX_ROOT}"
failed=

# shellcheck disable=SC2016
find src -name '*.[ch]pp' -print0 | sort -z | xargs -0 perl -0777 -ne '
  BEGIN {
    for my $file (glob "docs/*.md") {
      open my $in, "<", $file or die "$file: $!\n";
      for my $span (join("", <$in>) =~ /`([^`\n]+)`/g) { $told{$span =~ s/[ -]+$//r} = 1 }
    }
  }
  while (/\b(?:log_?\s*(?:\.|->)\s*(?:info|warning|error|fatal)\s*\(|Ignore\s*\{)
          ((?: ("(?:[^"\\]|\\.)*") | (\((?: (?2) | (?3) | [^()"] )*\)) | [^(){},"] )*)/gx) {
    my ($argument, $line) = ($1, 1 + (substr($_, 0, $-[0]) =~ tr/\n//));
    while ($argument =~ /("(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*)/g) {
      my $text = $1;
      $text =~ s/"\s*"//g;              # adjacent literals are one
      $text =~ s/^"|[ -]*"$//g;         # "Executor Config ------"
      next unless $text =~ /[a-z]{3}/;  # " * ", a rule
      $text =~ s/\\(.)/$1/g;
      $seen++;
      next if $text =~ /^\W/ ? grep { /\Q$text\E$/ } keys %told : $told{$text};
      $missing++;
      print STDERR "$ARGV:$line: in no docs/*.md: $text\n";
    }
  }
  END { $? = !$seen || $missing ? 1 : 0; print STDERR "no log call found\n" if !$seen; }' ||
  failed+=" say what these log lines mean and what to do, in docs/operations.md."

# | Docker's words, other words of it | the advice, word for word |
# shellcheck disable=SC2016
perl -0777 -e '
  sub content { open my $in, "<", $_[0] or die "$_[0]: $!\n"; local $/; <$in> }
  my $code = content("src/task/launch_hint.cpp");
  my @rows = map { [map { lc } /^\| (.*) \| (.*) \|$/] } grep { /^\| / } split /\n/, content("docs/operations.md");
  my $literal = qr/"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*/;
  my %named;
  while ($code =~ /string_view\s+(\w+)\s*=\s*($literal)\s*;/g) { $named{$1} = $2 }
  my ($table) = $code =~ /docker_hints\{(.*?)\n\};/s or die "launch_hint.cpp has no docker_hints\n";
  sub text { my $t = $_[0]; $t =~ s/"\s*"//g; $t =~ s/^"|"$//g; $t =~ s/\\(.)/$1/g; $t }
  while ($table =~ /Hint\{\s*($literal)\s*,\s*($literal|\w+)\s*\}/g) {
    my ($words, $advice) = (text($1), text($named{$2} // $2));
    $seen++;
    next if grep { index($_->[0], lc $words) >= 0 && index($_->[1], lc $advice) >= 0 } grep { @$_ == 2 } @rows;
    $missing++;
    print STDERR "launch_hint.cpp: no row in docs/operations.md: | $words | $advice |\n";
  }
  print STDERR "no hint found\n" if !$seen;
  exit(!$seen || $missing ? 1 : 0)' ||
  failed+=" put these hints, as they are, into the table \"What the brackets say\" of docs/operations.md."

[[ -z $failed ]] || die "${failed# }"
