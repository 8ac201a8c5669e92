package Worker;

# A worker process of a test's own, with settings in a folder of its own.
#
#     my $worker = Worker->new(feed => { redis => { address => ... }, ... });
#     $worker->ready; $worker->metric('name{label="x"}');
#     $worker->events('job.done');        # of its log, decoded
#     $worker->signal('TERM'); $worker->ended;
#
# With command => ['run'] words stand before the options.  The binary is that
# of ATELIER_FEED, or the release build.  It is ended with the object.

use strict;
use warnings;

use File::Temp ();
use IO::Socket::UNIX ();
use JSON::PP ();
use POSIX ();
use Test::More ();
use Time::HiRes ();

my $DEADLINE = 60;      # seconds

sub binary {
    my ($name) = @_;
    return $ENV{ 'ATELIER_' . uc $name } || "build/release/atelier-$name";
}

sub new {
    my ($class, $name, $settings, %opt) = @_;
    my $self = bless {
        owner => $$,
        name  => $name,
        words => $opt{command} // [],
        dir   => File::Temp->newdir('worker-XXXXXX', TMPDIR => 1,
                                    CLEANUP => !$ENV{KEEP}),
    }, $class;
    $self->{file} = "$self->{dir}/$name.conf";
    $self->{log} = "$self->{dir}/log";
    $self->{socket} = "$self->{dir}/s";
    $self->settings($settings);
    $self->start if !$opt{later};
    return $self;
}

# Sections of keys; a list is a key in several lines.
sub settings {
    my ($self, $settings) = @_;
    my %all = %$settings;
    $all{worker} = { listen => "unix:$self->{socket}",
                     %{ $all{worker} // {} } };
    my $text = '';
    for my $section (sort keys %all) {
        $text .= "[$section]\n";
        for my $key (sort keys %{ $all{$section} }) {
            my $value = $all{$section}{$key};
            $text .= "$key = $_\n" for ref $value ? @$value : $value;
        }
    }
    $self->write($text);
    return;
}

sub write {
    my ($self, $text) = @_;
    open my $out, '>', $self->{file} or die "$self->{file}: $!";
    print {$out} $text;
    close $out or die "$self->{file}: $!";
    return;
}

sub start {
    my ($self) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDIN, '<', '/dev/null' or POSIX::_exit(1);
        open STDOUT, '>>', $self->{log} or POSIX::_exit(1);
        open STDERR, '>>', $self->{log} or POSIX::_exit(1);
        my @command = (@{ $self->{words} }, '-c', $self->{file});
        { no warnings; exec binary($self->{name}), @command; }
        POSIX::_exit(1);
    }
    $self->{pid} = $pid;
    return $self;
}

# Polls until the code is true.
sub until_true {
    my ($what, $code) = @_;
    my $end = Time::HiRes::time() + $DEADLINE;
    while (Time::HiRes::time() < $end) {
        my $result = $code->();
        return $result if $result;
        Time::HiRes::sleep(0.02);
    }
    die "waited $DEADLINE s in vain for $what\n";
}

# (status, body); status 0: nobody answers.
sub get {
    my ($self, $path) = @_;
    my $socket = IO::Socket::UNIX->new(Peer => $self->{socket})
        or return (0, '');
    local $SIG{PIPE} = 'IGNORE';
    print {$socket} "GET $path HTTP/1.1\r\nHost: localhost\r\n",
        "Connection: close\r\n\r\n";
    local $/;
    my $text = readline($socket) // '';
    my ($status) = $text =~ m{^HTTP/1\.1 (\d+)};
    return ($status // 0, $text =~ s/.*?\r\n\r\n//sr);
}

sub ready {
    my ($self) = @_;
    return until_true("$self->{name} to be ready", sub {
        my ($status) = $self->get('/health/ready');
        return $status == 200;
    });
}

sub metric {
    my ($self, $name) = @_;
    my (undef, $text) = $self->get('/metrics');
    return $text =~ /^\Q$name\E (\S+)$/m ? $1 : undef;
}

sub log_text {
    my ($self) = @_;
    open my $in, '<', $self->{log} or return '';
    local $/;
    return readline($in) // '';
}

# The lines of the log with this event, decoded.
sub events {
    my ($self, $event) = @_;
    return grep { ref && ($_->{event} // '') eq $event }
           map { eval { JSON::PP::decode_json($_) } }
           split /\n/, $self->log_text;
}

sub signal {
    my ($self, $signal) = @_;
    kill $signal => $self->{pid};
    return;
}

# Waits for its end: the exit status, or minus the signal.
sub ended {
    my ($self) = @_;
    my $pid = $self->{pid} or return;
    until_true("$self->{name} to end", sub {
        return waitpid($pid, POSIX::WNOHANG()) == $pid;
    });
    delete $self->{pid};
    return $? & 127 ? -($? & 127) : $? >> 8;
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!, $@);
    my $pid = $self->{pid};
    return if !$pid || $self->{owner} != $$;
    kill KILL => $pid;
    waitpid $pid, 0;
    return;
}

1;
