package Test::Nginx::Checks;

# Every comparison of a block: the response, and what nginx wrote to its logs.
#
# Called by Socket.pm after each response. Each check that a block asks for is
# one point of the test; a mistake in the block itself (an array missing where
# several requests are made) dies through bad() and fails the block.
#
# Logs are read from where the last look ended, so each request is checked
# against its own lines. Lines may come a moment after the response: we wait
# until the expected ones are there, and until the file is at rest, before
# anything is said to be absent.

use v5.36;
use Exporter 'import';
use Test::More ();
use Time::HiRes qw(time);
use Test::Nginx::Client   ();
use Test::Nginx::Settings
    qw(%Conf bad diagnose expand patience path wait_until);

our @EXPORT_OK = qw(
    check_response check_logs check_shutdown_log rewind_logs same_text
);

# How much of two texts that differ is shown.
use constant EXCERPT => 160;

my %Seen;       # log file => offset up to which it was read


# The entry of a check for one of several requests. With one request a plain
# value will do; with several it must be an array, one entry each.
sub _entry ($block, $section, $index, $many) {
    my $value = $block->$section;

    if (ref $value eq 'ARRAY') {
        bad("$section has no entry for request $index")
            if $index > $#$value;
        return $value->[$index];
    }

    bad("$section must be an array, as there are several requests") if $many;
    return $value;
}


sub check_response ($block, $response, $index, $many, $ports) {
    my $want = sub ($section) {
        return defined $block->$section
            ? _entry($block, $section, $index, $many) : undef;
    };
    my $name = $block->name . ($many ? " (request $index)" : '');

    _check_status($name, $response, $want);
    _check_headers($name, $response, $want);
    _check_body($name, $response, $want, $ports);
    return;
}


sub _check_status ($name, $response, $want) {
    my $pattern = $want->('error_code_like');

    if (defined $pattern) {
        Test::More::like($response->{code}, qr/$pattern/ms,
                         "$name - status code");
        return;
    }

    my $code = $want->('error_code') // 200;
    $code =~ s/\s+//g;
    Test::More::is($response->{code}, $code, "$name - status code");
    return;
}


sub _check_headers ($name, $response, $want) {
    my $raw = $response->{raw_headers};

    my $pattern = $want->('raw_response_headers_like');
    Test::More::like($raw, qr/$pattern/s, "$name - raw headers")
        if defined $pattern;

    $pattern = $want->('raw_response_headers_unlike');
    Test::More::unlike($raw, qr/$pattern/s, "$name - raw headers unlike")
        if defined $pattern;

    for my $line (_header_lines($want->('response_headers'))) {
        my ($header, $value) = @$line;

        if (!defined $value) {
            Test::More::unlike($raw, qr/^\s*\Q$header\E\s*:/mi,
                               "$name - header $header is absent");
            next;
        }

        my $got = Test::Nginx::Client::header($response, $header);
        Test::More::is($got // '', _with_ports($value),
                       "$name - header $header");
    }

    for my $line (_header_lines($want->('response_headers_like'))) {
        my ($header, $value) = @$line;
        bad('response_headers_like cannot say "!' . $header . '"')
            if !defined $value;

        my $got = Test::Nginx::Client::header($response, $header);
        Test::More::like($got // '', qr/^$value$/,
                         "$name - header $header is like it");
    }
    return;
}


# "Name: value" and "!Name" lines as [name, value or undef].
sub _header_lines ($text) {
    my @lines;

    for my $line (split /\n/, $text // '') {
        $line =~ s/^\s+|\s+$//g;
        next if $line eq '';

        if ($line =~ /^!\s*(.+)/) {
            push @lines, [$1, undef];
        } else {
            my ($header, $value) = split /\s*:\s*/, $line, 2;
            push @lines, [$header, $value // ''];
        }
    }
    return @lines;
}


sub _with_ports ($text) {
    $text =~ s/\$ServerPortForClient\b/$Conf{client_port}/g;
    $text =~ s/\$ServerPort\b/$Conf{server_port}/g;
    return $text;
}


sub _check_body ($name, $response, $want, $ports) {
    my $body = $response->{body};

    my $expected = $want->('response_body');
    if (ref $expected) {
        Test::More::like($body, $expected, "$name - response body");
    } elsif (defined $expected) {
        same_text($body, expand(_with_ports($expected), $ports),
                  "$name - response body");
    }

    my $pattern = $want->('response_body_like');
    _matches($body, _pattern($pattern), 1, "$name - response body is like it")
        if defined $pattern;

    $pattern = $want->('response_body_unlike');
    _matches($body, _pattern($pattern), 0, "$name - response body is unlike")
        if defined $pattern;
    return;
}


sub _pattern ($pattern) {
    return qr/$pattern/s if ref $pattern;

    $pattern = _with_ports($pattern);
    return qr/$pattern/s;
}


# like() without the whole of a long body on the screen.
sub _matches ($text, $pattern, $wanted, $name) {
    my $ok = Test::More::ok(!!($text =~ $pattern) == !!$wanted, $name);

    diagnose('the body, ' . length($text) . ' bytes: '
             . _excerpt($text, 0),
             ($wanted ? 'does not match ' : 'matches ') . _visible("$pattern"))
        if !$ok;
    return $ok;
}


# Equality of texts that may be long or binary: shows where they part.
sub same_text ($got, $expected, $name) {
    if (ref $expected eq 'Regexp') {
        return Test::More::like($got, $expected, $name);
    }

    my $same = defined $got && defined $expected
        ? $got eq $expected : !defined $got && !defined $expected;
    return Test::More::ok($same, $name) if $same;

    Test::More::ok(0, $name);
    if (!defined $got || !defined $expected) {
        diagnose('got: ' . (defined $got ? _excerpt($got, 0) : 'undef'),
                 'expected: '
                 . (defined $expected ? _excerpt($expected, 0) : 'undef'));
        return !!0;
    }

    # The xor of two strings is zero as long as they are equal.
    my $both = utf8::is_utf8($got) || utf8::is_utf8($expected)
        ? '' : $got ^. $expected;
    my $at = $both =~ /[^\0]/ ? $-[0] : 0;

    diagnose('they differ from byte ' . $at . ' on',
             '     got ' . length($got) . ' bytes: ' . _excerpt($got, $at),
             'expected ' . length($expected) . ' bytes: '
             . _excerpt($expected, $at));
    return !!0;
}


# A readable piece of a text, starting a little before the given place.
sub _excerpt ($text, $at) {
    my $from = $at > 40 ? $at - 40 : 0;
    my $some = substr $text, $from, EXCERPT;

    return ($from > 0 ? '...' : '') . '"' . _visible($some) . '"'
        . ($from + EXCERPT < length $text ? '...' : '');
}


sub _visible ($text) {
    $text =~ s/([\\"])/\\$1/g;
    $text =~ s/\n/\\n/g;
    $text =~ s/\r/\\r/g;
    $text =~ s/\t/\\t/g;
    $text =~ s/([^\x20-\x7e])/sprintf '\\x{%02x}', ord $1/ge;
    return $text;
}


# The patterns of a log section: lines of text, a regex, or an array of both.
sub _patterns ($value) {
    return ()       if !defined $value;
    return ($value) if ref $value eq 'Regexp';
    return grep { defined } @$value if ref $value eq 'ARRAY';
    return grep { length } split /\n+/, $value;
}


sub _hits ($line, $pattern) {
    return ref $pattern ? $line =~ $pattern : index($line, $pattern) >= 0;
}


# Forget what was read: a fresh server writes fresh files.
sub rewind_logs () {
    %Seen = ();
    return;
}


# The new lines of a log file: read again and again until $enough says that
# they are, or until it is too late, and until the file rests.
sub _new_lines ($file, $enough) {
    my $from = $Conf{accumulate_log} ? 0 : $Seen{$file} // 0;
    my ($text, $changed) = ('', time);

    wait_until(patience(), sub {
        my $before = length $text;
        $text    = _tail_from($file, $from);
        $changed = time if length $text != $before;
        return time - $changed >= 2 * $Conf{sleep}
            && $enough->(split /^/m, $text);
    });

    $Seen{$file} = $from + length $text;
    return split /^/m, $text;
}


sub _tail_from ($file, $from) {
    open my $in, '<:raw', $file or return '';
    seek $in, $from, 0;
    local $/;
    return readline($in) // '';
}


sub check_logs ($block, $round) {
    _check_error_log($block, $round);
    _check_access_log($block, $round) if !defined $block->ignore_response;
    return;
}


sub _check_error_log ($block, $round) {
    my $name   = $block->name;
    my @wanted = _patterns($block->error_log);
    my @banned = _patterns($block->no_error_log);
    my ($grep, $grep_out) = _grep_sections($block, $round);

    my @lines = _new_lines(path('logs', 'error.log'), sub (@lines) {
        return _all_found(\@lines, \@wanted)
            && (!defined $grep || ref $grep_out
                || _grepped($grep, \@lines) eq $grep_out);
    });

    same_text(_grepped($grep, \@lines), $grep_out,
              "$name - grep_error_log_out (round $round)") if defined $grep;

    _check_patterns($name, 'error.log', \@lines, \@wanted, \@banned, $round);
    _warn_of_trouble($block, \@lines, @wanted, @banned);
    return;
}


sub _all_found ($lines, $wanted) {
    for my $pattern (@$wanted) {
        return 0 if !grep { _hits($_, $pattern) } @$lines;
    }
    return 1;
}


# grep_error_log and what it should give in this round.
sub _grep_sections ($block, $round) {
    my ($grep, $out) = ($block->grep_error_log, $block->grep_error_log_out);

    bad('grep_error_log and grep_error_log_out go together')
        if defined $grep != defined $out;
    return if !defined $grep;

    $grep = $grep->[$round] if ref $grep eq 'ARRAY';
    $out  = $out->[$round]  if ref $out eq 'ARRAY';
    return if !defined $grep;

    bad("grep_error_log_out has no entry for round $round") if !defined $out;
    return ($grep, expand($out, {}));
}


# What the pattern matches in each line, one per line.
sub _grepped ($grep, $lines) {
    my $pattern = ref $grep ? $grep : qr/\Q$grep\E/;
    my $all = '';

    for my $line (@$lines) {
        $all .= "$&\n" if $line =~ $pattern && $& !~ /\n/;
    }
    return $all;
}


sub _check_patterns ($name, $log, $lines, $wanted, $banned, $round) {
    for my $pattern (@$wanted) {
        my $found = grep { _hits($_, $pattern) } @$lines;
        Test::More::ok($found, "$name - $log has \"" . _visible($pattern)
                       . "\" (round $round)");
    }

    for my $pattern (@$banned) {
        my @found = grep { _hits($_, $pattern) } @$lines;
        Test::More::ok(!@found, "$name - $log does not have \""
                       . _visible($pattern) . "\" (round $round)")
            or diagnose('it has, first of ' . @found . ':', $found[0]);
    }
    return;
}


# Lines no clean run has. Those a section talks about are its own affair, and
# an nginx that is to die may say why.
sub _warn_of_trouble ($block, $lines, @sections) {
    my $name   = $block->name;
    my @levels = defined $block->must_die ? () : qw(alert crit emerg);

    for my $level (@levels) {
        next if grep { "$_" =~ /\[\Q$level\E|\\\[\Q$level\E/ } @sections;

        my @found = grep { /\[\Q$level\E\]/ } @$lines;
        diagnose("WARNING: $name - $found[0]") if @found;
    }

    my ($crash) = grep { /\bAssertion .*failed\b/
                         || / exited on signal \d/ } @$lines;
    if (defined $crash && !grep { _hits($crash, $_) } @sections) {
        Test::More::ok(0, "$name - nginx did not crash");
        diagnose($crash);
    }
    return;
}


sub _check_access_log ($block, $round) {
    my @wanted = _patterns($block->access_log);
    my @banned = _patterns($block->no_access_log);
    return if !@wanted && !@banned;

    my @lines = _new_lines(path('logs', 'access.log'), sub (@lines) {
        return _all_found(\@lines, \@wanted);
    });

    _check_patterns($block->name, 'access.log', \@lines, \@wanted, \@banned,
                    $round);
    return;
}


# What nginx wrote while it was being stopped; nginx has ended when this is
# called.
sub check_shutdown_log ($block) {
    my @wanted = _patterns($block->shutdown_error_log);
    my @banned = _patterns($block->no_shutdown_error_log);
    return if !@wanted && !@banned;

    my @lines = _new_lines(path('logs', 'error.log'), sub (@) { 1 });
    _check_patterns($block->name, 'error.log at shutdown', \@lines, \@wanted,
                    \@banned, 0);
    return;
}


1;
