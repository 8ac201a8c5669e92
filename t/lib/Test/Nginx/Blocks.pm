# The grammar of a test file: from the text after __DATA__ to a list of block
# objects.
#
#     === title
#     free text
#     --- section filter filter
#     value, several lines
#     --- section: value on one line
#
# parse() is called once by Socket.pm. Blocks live as long as the run; a value
# is a string, or whatever the filter "eval" returned. A section nobody set is
# undef. Every read is noted, so that misspelt() can name the sections that
# neither this runner nor a preprocessor of the test file knows: a typo must
# not pass as a check that was never made.

# Code from "eval" sections runs here, above all our lexicals and with the
# default features only, so that nothing works by accident of this runner.
package Test::Nginx::Blocks::Sandbox;

use strict;
use warnings;

sub run { return eval $_[0] }


package Test::Nginx::Blocks;

use v5.36;
use List::Util            qw(min);
use MIME::Base64          ();
use Test::Nginx::Settings qw(bad diagnose);

my %Supported = map { $_ => 1 } qw(
    SKIP ONLY LAST
    main_config http_config config post_main_config server_name user_files
    init log_level error_log_file suppress_stderr post_setup_server_root
    request raw_request pipelined_requests more_headers timeout abort wait
    shutdown ignore_response raw_request_middle_delay server_addr_for_client
    tcp_listen tcp_reply tcp_reply_delay tcp_query tcp_query_len
    tcp_no_close tcp_shutdown tcp_shutdown_delay
    error_code error_code_like response_body response_body_like
    response_body_unlike response_headers response_headers_like
    raw_response_headers_like raw_response_headers_unlike
    error_log no_error_log grep_error_log grep_error_log_out
    access_log no_access_log must_die shutdown_error_log
    no_shutdown_error_log skip_nginx skip_eval no_check_leak
);

# Sections of the original that this runner does not do. Using one is an
# error here, never silently ignored.
my %Elsewhere = map { $_ => 1 } qw(
    charset curl curl_error curl_options curl_protocol http09 http2 http3
    no_http2 no_http3 quic_max_idle_timeout no_mockeagain reload_fails
    request_eval response_body_eval response_body_filters
    response_body_json_sort write_resp_body_file skip_nginx2 skip_openssl
    skip_slave stap stap_out stap_out_like stap_out_unlike todo todo_nginx
    tcp_query_auto_timeout udp_listen udp_query udp_reply udp_reply_delay
);

my %Filters = (
    norm          => \&_norm,
    trim          => \&_trim,
    chomp         => sub (@v) { chomp @v; @v },
    chop          => sub (@v) { chop @v; @v },
    unchomp       => sub (@v) { map { "$_\n" } @v },
    eval          => \&_eval,
    base64_encode => sub (@v) { MIME::Base64::encode_base64(join '', @v) },
    base64_decode => sub (@v) { MIME::Base64::decode_base64(join '', @v) },
);


# Only the titles and meta sections: the number of blocks is asked for by
# "plan" lines, before the filters may run.
sub parse ($text) {
    my @blocks;

    for my $hunk ($text =~ /^(===.*?(?=^===|\z))/msg) {
        my $block = _block($hunk);

        if ($block->has('ONLY')) {
            diagnose("only this block is run, because of its --- ONLY: "
                     . $block->name);
            return $block;
        }

        next if $block->has('SKIP');
        push @blocks, $block;
        last if $block->has('LAST');
    }

    return @blocks;
}


sub _block ($hunk) {
    $hunk =~ s/\A===[ \t]*(.*)\n?//;
    my $block = Test::Nginx::Blocks::Block->new($1);

    # The value of the last section may end without a newline.
    $hunk .= "\n" if $hunk !~ /\n\z/;

    my (undef, @parts) = split /^--- +(\w+) *(.*)\n/m, $hunk;
    while (my ($name, $head, $value) = splice @parts, 0, 3) {
        $block->add($name, $head, $value // '');
    }

    return $block;
}


sub _norm (@values) {
    my $text = join '', map { $_ // '' } @values;
    $text =~ s/\r\n?/\n/g;
    return $text;
}


# Blank lines before and after the value go; its last newline stays.
sub _trim (@values) {
    for (@values) {
        s/\A(?:[ \t]*\n)+//;
        s/(?<=\n)\s*\z//;
    }
    return @values;
}


sub _eval (@values) {
    local $@;
    my @got = Test::Nginx::Blocks::Sandbox::run(join '', @values);
    bad("eval failed: $@") if $@;
    return @got;
}


# A function of the test file's main package is a filter as well: it gets the
# value as its arguments and in $_, and returns the new value, or changes $_
# and returns nothing or a count.
sub _own_filter ($code, @values) {
    local $_ = join '', @values;
    my @got = $code->(@values);

    return $_ if !@got || (@got == 1 && ($got[0] // 'x') =~ /\A\d*\z/);
    return @got;
}


sub filter ($name, @values) {
    no strict 'refs';
    return _own_filter(\&{"main::$name"}, @values)
        if defined &{"main::$name"};

    my $code = $Filters{$name}
        or bad("unknown filter \"$name\"; there are "
               . join(' ', sort keys %Filters)
               . ' and the functions of the test file');
    return $code->(@values);
}


# The complaint about the first unknown section of a block, or nothing.
sub misspelt ($block) {
    for my $name ($block->sections) {
        next if $Supported{$name} || $block->was_read($name);

        return "section \"--- $name\" belongs to the original runner and is "
            . 'not supported by this one' if $Elsewhere{$name};

        my $near = _nearest($name);
        return "unknown section \"--- $name\""
            . ($near ? "; did you mean \"--- $near\"?" : '');
    }
    return;
}


sub _nearest ($name) {
    my ($best, $cost) = ('', 4);

    for my $known (sort keys %Supported) {
        my $now = _distance($name, $known);
        ($best, $cost) = ($known, $now) if $now < $cost;
    }
    return $best;
}


# Levenshtein distance.
sub _distance ($one, $two) {
    my @row = 0 .. length $two;

    for my $i (1 .. length $one) {
        my @next = ($i);
        for my $j (1 .. length $two) {
            my $same = substr($one, $i - 1, 1) eq substr($two, $j - 1, 1);
            push @next, min($row[$j] + 1, $next[-1] + 1,
                            $row[$j - 1] + ($same ? 0 : 1));
        }
        @row = @next;
    }
    return $row[-1];
}


package Test::Nginx::Blocks::Block;

use v5.36;
use Test::Nginx::Settings ();

our $AUTOLOAD;


sub new ($class, $title) {
    $title =~ s/\s+\z//;
    return bless {
        title  => $title, values => {}, read => {},
        raw    => [],     faults => [],
    }, $class;
}


# One section as written; its filters run later, in filtered().
sub add ($self, $name, $head, $value) {
    my @filters;

    if ($head =~ /^(.*?)\s*:(?:\s+(.*?))?\s*\z/s) {
        push @{$self->{faults}},
            "section \"--- $name:\" has a value on its line and more below"
            if $value =~ /\S/;
        ($head, $value) = ($1, $2 // '');
    }

    push @{$self->{faults}}, "section \"--- $name\" is given twice"
        if exists $self->{values}{$name};

    # "---name" or "--- two-words" do not open a section: they would end up,
    # unseen, in the value of the section before.
    push @{$self->{faults}},
        "a line of section \"--- $name\" looks like a section: \"$1\""
        if $value =~ /^(---\w+.*)$/m;

    push @{$self->{raw}}, [$name, [split ' ', $head]];
    $self->{values}{$name} = [$value];
    return;
}


# Runs the filters, once, in the order of the file.
sub filtered ($self) {
    my $raw = delete $self->{raw} or return $self;

    for (@$raw) {
        my ($name, $own) = @$_;
        my (@filters, @late);

        for my $filter (qw(norm trim), @$own) {
            if ($filter =~ /^-(.+)/) {
                @filters = grep { $_ ne $1 } @filters;
            } elsif ($filter =~ /^\+(.+)/) {
                push @late, $1;
            } else {
                push @filters, $filter;
            }
        }

        for my $filter (@filters, @late) {
            my $slot = $self->{values}{$name};
            eval {
                $self->{values}{$name}
                    = [Test::Nginx::Blocks::filter($filter, @$slot)];
                1;
            } or do {
                chomp(my $why = $@);
                push @{$self->{faults}}, "section \"--- $name\": $why";
                last;
            };
        }
    }

    push @{$self->{raw_order}}, map { $_->[0] } @$raw;
    return $self;
}


sub name     ($self)        { $self->{title} }
sub faults   ($self)        { @{$self->{faults}} }
sub sections ($self)        { @{$self->{raw_order} // []} }
sub has      ($self, $name) { exists $self->{values}{$name} }
sub was_read ($self, $name) { $self->{read}{$name} }


sub set_value ($self, $name, @values) {
    if ($name eq 'name') {
        $self->{title} = $values[0];
    } else {
        $self->{values}{$name} = \@values;
    }
    return;
}


# $block->section: its value, undef when it is not there. Every method name
# that is not defined above is one of a section.
sub AUTOLOAD ($self, @arguments) {
    my ($name) = $AUTOLOAD =~ /([^:]+)\z/;
    return if $name eq 'DESTROY';

    $self->{read}{$name} = 1;
    my $slot = $self->{values}{$name};
    return $slot ? $slot->[0] : undef;
}


1;
