package Stack;

# nginx with several workers and the sandbox behind it, for tests of the whole
# system.  Core Perl only.
#
#     my $stack = Stack->new(providers => [...], http => '', server => '');
#     my $other = Stack->new(beside => $stack, ...);    # the same sandbox
#     my $res = $stack->generate({ prompt => 'a room' });
#     $stack->control('groq', { mode => 'hang' });
#     $stack->wait_for('groq', 'aborted>=1');
#     $stack->crash;            # kill -9 of all of nginx, and a new one
#     $stack->finish;           # stops all, fails the test on a bad log
#
# Every wait has a deadline and none is a fixed sleep.  Processes are ended by
# their own ids; the folder is removed unless KEEP is set.

use strict;
use warnings;

use File::Temp ();
use HTTP::Tiny ();
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();
use Test::More ();
use Time::HiRes ();

my $DEADLINE = 60;      # seconds

sub new {
    my ($class, %opt) = @_;
    my $self = bless {
        dir     => File::Temp->newdir('atelier-XXXXXX', TMPDIR => 1,
                                      CLEANUP => !$ENV{KEEP}),
        workers => $opt{workers} // 2,
        pids    => {},
    }, $class;

    $self->{home} = "$self->{dir}";
    chmod 0755, $self->{home};
    mkdir "$self->{home}/$_" for qw(logs temp conf);
    Test::More::note("folder: $self->{home}") if $ENV{KEEP};

    if ($opt{beside}) {
        $self->{sandbox} = $opt{beside}{sandbox};
    } else {
        $self->_start_sandbox;
    }

    # Between asking for a free port and listening, somebody else may take it.

    for my $try (1 .. 5) {
        $self->{port} = free_port();
        $self->configure(%opt);
        return $self if $self->_start_nginx;
        Test::More::note("port $self->{port} was taken, trying another");
    }

    die "nginx found no port to listen on\n";
}

# Below those that connections are given: who connects while nginx is away could
# be given the very port, and keep it.
sub free_port {
    my ($end) = slurp('/proc/sys/net/ipv4/ip_local_port_range') =~ /^(\d+)/;
    $end = 32768 if !$end || $end < 4096;
    for (1 .. 100) {
        my $port = 2048 + int rand($end - 2048);
        return $port if IO::Socket::INET->new(Listen    => 1,
                                              LocalAddr => '127.0.0.1',
                                              LocalPort => $port,
                                              ReuseAddr => 1);
    }
    die "no port: $!";
}

# Polls until the code is true.
sub until_true {
    my ($what, $code) = @_;
    my $end = Time::HiRes::time() + $DEADLINE;
    while (Time::HiRes::time() < $end) {
        my $result = $code->();
        return $result if $result;
        Time::HiRes::sleep(0.01);
    }
    die "waited $DEADLINE s in vain for $what\n";
}

sub _start_sandbox {
    my ($self) = @_;
    my $binary = $ENV{ATELIER_SANDBOX}
        or die "ATELIER_SANDBOX must name the sandbox's binary\n";

    my $log = "$self->{home}/logs/sandbox.log";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', $log or POSIX::_exit(1);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(1);
        exec $binary, '--listen', '127.0.0.1:0', '--quick' or POSIX::_exit(1);
    }
    $self->{pids}{sandbox} = $pid;
    $self->{sandbox} = until_true('the sandbox', sub {
        return slurp($log) =~ m{sandbox ready on (http://\S+)} ? $1 : undef;
    });
}

# Writes nginx.conf: providers is a list of name => parameters.  On a busy
# machine the sandbox takes seconds to draw; a time-out that counts is given.
sub configure {
    my ($self, %opt) = @_;
    my @list = @{ $opt{providers}
                  // [ groq => 'format=openai', stability => 'format=stability' ] };
    my ($providers, $locations) = ('', '');
    my %path = (openai => 'v1/images/generations',
                stability => 'v2beta/stable-image/generate/core',
                replicate => 'v1/$1',
                huggingface => 'hf-inference/models/a/b',
                'stability-v1' => 'v1/generation/stable-diffusion-v1-6/text-to-image');

    while (my ($name, $params) = splice @list, 0, 2) {
        my ($format) = $params =~ /format=(\S+)/;
        $params .= ' timeout=15s' if $params !~ /\btimeout=/;
        my $defaults = 'internal; proxy_http_version 1.1;'
                     . ' proxy_set_header Connection "";'
                     . ' proxy_buffering off; proxy_buffer_size 64k;'
                     . ' proxy_buffers 4 64k; proxy_next_upstream off;';
        my $address = $opt{override}{$name}
                      // "http://sandbox/$name/$path{$format}";
        my $at = "= /_ai/$name";
        my $uri = "/_ai/$name";
        if ($format eq 'replicate') {
            $at = "~ ^/_ai/$name/(.*)\$";
            $uri .= '/';
        }
        $providers .= "atelier_ai_provider $name uri=$uri"
                    . " result=/_result/$name result_host=$self->{sandbox}"
                    . " $params;\n";
        $locations .= <<"END";
        location $at {
            $defaults
            proxy_set_header Authorization "Bearer \$key";
            proxy_pass $address;
        }
        location = /_result/$name { $defaults proxy_pass \$atelier_result_url; }
END
    }

    my ($address) = $self->{sandbox} =~ m{//(.*)};
    my $user = $> == 0 ? 'user root;' : '';
    my $load = join "\n", map { "load_module $_;" }
               split ' ', $ENV{TEST_NGINX_LOAD_MODULES} // '';
    my $main = $opt{main} // '';
    my $http = $opt{http} // '';
    my $server = $opt{server} // '';
    my $egress = $opt{egress} // '';
    my $listen = $opt{listen} // '';
    my $pictures = $opt{pictures} // '';
    my $generate = $opt{generate} // '';
    $self->{workers} = $opt{workers} if $opt{workers};

    spew("$self->{home}/conf/key", "sk-sandbox-test\n");
    chmod 0600, "$self->{home}/conf/key";
    spew("$self->{home}/conf/nginx.conf", <<"END");
$load
$user
daemon off;
worker_processes $self->{workers};
pid $self->{home}/nginx.pid;
error_log $self->{home}/logs/error.log info;
$main
events { worker_connections 1024; }
http {
    client_body_temp_path $self->{home}/temp/body;
    proxy_temp_path       $self->{home}/temp/proxy;
    fastcgi_temp_path     $self->{home}/temp/fastcgi;
    uwsgi_temp_path       $self->{home}/temp/uwsgi;
    scgi_temp_path        $self->{home}/temp/scgi;
    access_log            $self->{home}/logs/access.log;
    upstream sandbox      { server $address; keepalive 16; }
    atelier_secret        \$key key;
    atelier_egress        unix:$self->{home}/egress.sock;
    atelier_zone          state 1m;
    atelier_pictures      $self->{home}/generated $pictures;
$providers
    $http
    server {
        listen 127.0.0.1:$self->{port} $listen;
        location = /generate     { atelier_generate $generate; }
        location /generate/      { atelier_generate $generate; }
        location = /metrics      { atelier_metrics; }
        location = /health/live  { atelier_health live; }
        location = /health/ready { atelier_health ready; }
        location /generated/     { alias $self->{home}/generated/; }
$locations
        $server
    }
    server {
        listen unix:$self->{home}/egress.sock backlog=1024;
        location = /cancel { atelier_cancel; }
$locations
        $egress
    }
}
END
    return $self;
}

# False: the port was taken.
sub _start_nginx {
    my ($self) = @_;
    my $binary = $ENV{TEST_NGINX_BINARY} || 'nginx';
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDERR, '>', "$self->{home}/logs/stderr.log"
            or POSIX::_exit(1);
        open STDOUT, '>&', \*STDERR or POSIX::_exit(1);
        exec $binary, '-p', $self->{home}, '-c', "$self->{home}/conf/nginx.conf"
            or POSIX::_exit(1);
    }
    $self->{pids}{nginx} = $pid;

    # It is nginx that answers there only when it has written its pid.

    return until_true('nginx', sub {
        if (waitpid($pid, POSIX::WNOHANG()) == $pid) {
            delete $self->{pids}{nginx};
            my $why = slurp("$self->{home}/logs/stderr.log");
            die "nginx did not start:\n$why"
                if $why !~ /bind\(\) to \S+ failed/;
            unlink "$self->{home}/logs/error.log",
                   "$self->{home}/egress.sock";
            return 'taken';
        }
        return slurp("$self->{home}/nginx.pid") =~ /^$pid$/m
               && IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                        PeerPort => $self->{port});
    }) ne 'taken';
}

sub url { return "http://127.0.0.1:$_[0]{port}$_[1]"; }

sub http {
    my ($self) = @_;
    return $self->{http} //= HTTP::Tiny->new(timeout => $DEADLINE);
}

# POST /generate; the decoded answer is {json}.
sub generate {
    my ($self, $body, %headers) = @_;
    my $res = $self->http->post($self->url('/generate'), {
        headers => { 'Content-Type' => 'application/json', %headers },
        content => ref $body ? JSON::PP::encode_json($body) : $body,
    });
    $res->{json} = eval { JSON::PP::decode_json($res->{content}) };
    return $res;
}

# An open socket on which the request has been sent.
sub send_generate {
    my ($self, $body) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $self->{port})
        or die "connect: $!";
    my $json = JSON::PP::encode_json($body);
    print {$socket} "POST /generate HTTP/1.1\r\nHost: localhost\r\n",
        "Content-Type: application/json\r\n",
        'Content-Length: ', length $json, "\r\n\r\n", $json;
    $socket->flush;
    return $socket;
}

# outcome by provider of an answer
sub outcomes {
    my ($self, $res) = @_;
    return { map { $_->{provider} => $_->{outcome} }
             @{ $res->{json}{attempts} // [] } };
}

sub metric {
    my ($self, $name) = @_;
    my $text = $self->http->get($self->url('/metrics'))->{content};
    return $text =~ /^\Q$name\E (\S+)$/m ? $1 : undef;
}

# The sandbox's control.
sub control {
    my ($self, $provider, $settings) = @_;
    my $res = HTTP::Tiny->new->put("$self->{sandbox}/_control/$provider", {
        headers => { 'Content-Type' => 'application/json' },
        content => JSON::PP::encode_json($settings),
    });
    die "control: $res->{status} $res->{content}" if !$res->{success};
    return;
}

# When calls arrived at the provider, in ms, in order.
sub arrivals {
    my ($self, $provider) = @_;
    my @at;
    for (split /\n/, slurp("$self->{home}/logs/sandbox.log")) {
        my ($y, $mon, $d, $h, $min, $s, $ms, $name, $took) =
            /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)\.(\d+)Z (\S+) .* (\d+)ms$/
            or next;
        push @at, POSIX::mktime($s, $min, $h, $d, $mon - 1, $y - 1900) * 1000
                  + $ms - $took
            if $name eq $provider;
    }
    return sort { $a <=> $b } @at;
}

sub reset_sandbox {
    my ($self) = @_;
    my $res = HTTP::Tiny->new->delete("$self->{sandbox}/_control");
    die "control: $res->{status} $res->{content}" if !$res->{success};
    return;
}

sub counters {
    my ($self, $provider) = @_;
    my $res = HTTP::Tiny->new->get("$self->{sandbox}/_control/$provider");
    return JSON::PP::decode_json($res->{content})->{counters};
}

# Holds until the counter is there; false if it never comes.
sub wait_for {
    my ($self, $provider, $condition) = @_;
    $condition =~ s/([<>=])/sprintf '%%%02X', ord $1/ge;
    my $res = HTTP::Tiny->new(timeout => $DEADLINE + 5)->get(
        "$self->{sandbox}/_control/$provider?wait=$condition"
        . '&timeoutMs=' . $DEADLINE * 1000);
    return $res->{status} == 200;
}

sub workers {
    my ($self) = @_;
    my $text = slurp("/proc/$self->{pids}{nginx}/task/$self->{pids}{nginx}"
                     . '/children');
    return split ' ', $text;
}

# HUP; returns when the old workers are gone.
sub reload {
    my ($self, %opt) = @_;
    my @old;

    # a worker that is only just started would be taken for a new one
    until_true('all workers', sub {
        @old = $self->workers;
        return @old >= $self->{workers};
    });
    kill HUP => $self->{pids}{nginx};
    until_true('new workers', sub {
        my %now = map { $_ => 1 } $self->workers;
        delete @now{@old};
        return keys %now >= $self->{workers};
    });
    return @old if $opt{nowait};
    $self->gone(@old);
    return @old;
}

sub gone {
    my ($self, @pids) = @_;
    until_true('old workers to exit', sub {
        return !grep { -d "/proc/$_" } @pids;
    });
    return;
}

# As a supervisor does it after kill -9 of the master: what is left of nginx is
# ended, and it is started anew.
sub crash {
    my ($self) = @_;

    # One that it is just starting would outlive it, with its sockets.

    my $pid = $self->{pids}{nginx};
    kill STOP => $pid;
    until_true('the master to stand still', sub {
        return slurp("/proc/$pid/stat") =~ /\) T /;
    });
    my @workers = $self->workers;
    delete $self->{pids}{nginx};
    kill KILL => $pid;
    waitpid $pid, 0;
    kill KILL => @workers;
    until_true('what is left of nginx to end', sub {
        # A thread may have the sockets for longer than the first one of all.
        return !grep { slurp("$_/stat") =~ /\) [^ZX]/ }
               map { glob "/proc/$_/task/*" } @workers;
    });
    $self->_start_nginx or die "port $self->{port} was taken\n";
    return;
}

sub log_text { return slurp("$_[0]{home}/logs/error.log"); }

# Ends everything and looks at the log once more.
sub finish {
    my ($self, %opt) = @_;
    $self->_end(nginx => 'QUIT');
    $self->_end(sandbox => 'TERM');
    my $allow = $opt{allow} // qr/(?!)/;

    # nginx's own files have findings of UBSan's that are not ours to mend

    my @bad = grep { !/$allow/ && !m{^src/\S+: runtime error:} }
              grep { /\[(?:alert|crit|emerg)\]|exited on signal|Sanitizer
                      |runtime\ error:/x }
              split /\n/, $self->log_text . slurp("$self->{home}/logs/stderr.log");
    Test::More::is(join("\n", @bad), '', 'nothing bad in the log');
    return;
}

sub _end {
    my ($self, $part, $signal) = @_;
    my $pid = delete $self->{pids}{$part} or return;
    kill $signal => $pid;
    my $end = Time::HiRes::time() + $DEADLINE;
    while (waitpid($pid, POSIX::WNOHANG()) == 0) {
        if (Time::HiRes::time() > $end) {
            Test::More::fail("$part ends by itself");
            kill KILL => $pid;
            waitpid $pid, 0;
            last;
        }
        Time::HiRes::sleep(0.01);
    }
    return;
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!, $@);
    my @workers = $self->{pids}{nginx} ? $self->workers : ();
    for my $pid (values %{ $self->{pids} }) {
        kill KILL => $pid;
        waitpid $pid, 0;
    }
    kill KILL => @workers;
    return;
}

sub slurp {
    my ($file) = @_;
    open my $handle, '<', $file or return '';
    local $/;
    return <$handle> // '';
}

sub spew {
    my ($file, $text) = @_;
    open my $handle, '>', $file or die "$file: $!";
    print {$handle} $text;
    close $handle or die "$file: $!";
    return;
}

1;
