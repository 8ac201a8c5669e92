package FakeHttp;

# An HTTP server of a test's own, on a Unix socket or a port, for what workers
# ask.  Every connection has a process of its own, so answers may wait.
#
#     my $fake = FakeHttp->new(unix => 1, answer => sub {
#         my ($fake, $method, $path, $headers, $body) = @_;
#         $fake->hold('go');               # until $fake->let('go')
#         return (200, 'body', 'Header: value', ...);
#     });
#     $fake->address; $fake->seen;         # "METHOD path" in the order they came
#
# Core Perl only.

use strict;
use warnings;

use File::Temp ();
use IO::Socket::INET ();
use IO::Socket::UNIX ();
use POSIX ();
use Time::HiRes ();

sub new {
    my ($class, %opt) = @_;
    my $self = bless {
        owner  => $$,
        answer => $opt{answer},
        dir    => File::Temp->newdir('http-XXXXXX', TMPDIR => 1, CLEANUP => 1),
    }, $class;
    chmod 0755, "$self->{dir}";
    if ($opt{unix}) {
        $self->{address} = "$self->{dir}/s";
        $self->{listen} = IO::Socket::UNIX->new(Local => $self->{address},
                                                Listen => 64);
    } else {
        $self->{listen} = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                                Listen => 64);
        $self->{address} = '127.0.0.1:' . $self->{listen}->sockport;
    }
    $self->{listen} or die "listen: $!";
    $self->{pid} = fork // die "fork: $!";
    $self->_serve if !$self->{pid};
    return $self;
}

sub address { return $_[0]{address} }

sub seen {
    my ($self) = @_;
    open my $in, '<', "$self->{dir}/seen" or return;
    chomp(my @lines = readline $in);
    return @lines;
}

sub forget { unlink "$_[0]{dir}/seen"; return }

# Marks that both sides see.
sub let    { open my $out, '>', "$_[0]{dir}/mark-$_[1]" or die $!; return }
sub unlet  { unlink "$_[0]{dir}/mark-$_[1]"; return }
sub is_let { return -e "$_[0]{dir}/mark-$_[1]" }

sub hold {
    my ($self, $mark) = @_;
    my $end = Time::HiRes::time() + 60;
    while (!$self->is_let($mark) && Time::HiRes::time() < $end
           && getppid() != 1)
    {
        Time::HiRes::sleep(0.02);
    }
    return;
}

sub _serve {
    my ($self) = @_;
    $SIG{CHLD} = 'IGNORE';
    $SIG{TERM} = 'DEFAULT';
    while (1) {
        my $c = $self->{listen}->accept or next;
        my $pid = fork // POSIX::_exit(1);
        next if $pid;
        $self->_connection($c);
        POSIX::_exit(0);
    }
}

sub _connection {
    my ($self, $c) = @_;
    $SIG{PIPE} = 'IGNORE';
    $c->autoflush(1);
    while (defined(my $line = readline $c)) {
        my ($method, $path) = split ' ', $line;
        my %headers;
        while (defined(my $header = readline $c)) {
            last if $header =~ /^\r?\n/;
            $headers{ lc $1 } = $2 if $header =~ /^([^:]+):\s*(.*?)\r?\n/;
        }
        my $sent = '';
        read $c, $sent, $headers{'content-length'}
            if $headers{'content-length'};
        open my $out, '>>', "$self->{dir}/seen" or return;
        syswrite $out, "$method $path\n";
        close $out;
        my ($status, $body, @more)
            = $self->{answer}->($self, $method, $path, \%headers, $sent);
        return if !$status;
        print {$c} "HTTP/1.1 $status Status\r\n",
            (map { "$_\r\n" } @more),
            'Content-Length: ', length $body, "\r\n\r\n", $body
            or return;
    }
    return;
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!, $@);
    return if !$self->{pid} || $self->{owner} != $$;
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

1;
