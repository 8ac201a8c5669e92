package Site;

# All of Atelier with its pages, for tests that go through a browser or
# through web/lib: nginx on the sandbox, Redis, PostgreSQL, relay and queue.
#
#     my $site = Site->new;        # workers => 2, http => ..., pages => 0,
#                                  # feed => 1
#     $site->publish('product:1', { price => '10' });
#     Node::run('web/e2e/feed.mjs', [ $site->url ], $site->deeds);
#     $site->finish;

use strict;
use warnings;

use Cwd ();
use Feed;
use JSON::PP ();
use Postgres;
use PrivateRedis;
use Stack;
use Worker;

my $json = JSON::PP->new->utf8->canonical;
my $cookie = 'add_header Set-Cookie $atelier_set_cookie always;';

sub new {
    my ($class, %opt) = @_;
    my $here = Cwd::getcwd();
    my $self = bless { db => Postgres->new, redis => PrivateRedis->new },
                     $class;
    my $pages = $opt{pages} // 1;

    my $http = "atelier_postgres '@{[ $self->{db}->conninfo ]}';\n"
               . qq{include "$here/conf/visitor.conf";\n};
    my $server = "location = /live { atelier_live drain=1s; }\n"
                 . "location = /telemetry { atelier_telemetry; }\n"
                 . "location /products { atelier_products; }\n";
    if ($pages) {
        $http .= "include /etc/nginx/mime.types;\n"
                 . "default_type application/octet-stream;\n"
                 . qq{include "$here/web/csp.conf";\n}
                 . 'map "" $atelier_more_images'
                 . " { default http://127.0.0.1:*; }\n";
        $server .= qq{root "$here/web/out";\n}
                   . qq{include "$here/conf/pages.conf";\n};
    }
    my %feed = Feed::options(
        redis  => $self->{redis}->address,
        http   => $http . ($opt{http} // ''),
        server => $server . ($opt{server} // ''));
    # The visitor's cookie, where it may be set.
    $feed{server} =~ s/(atelier_designs [^;]*;)/$1 $cookie/;
    $feed{egress} .= 'location = /attempt { atelier_attempt; }';

    $self->{stack} = Stack->new(
        workers => $opt{workers} // 2, generate => "; $cookie" =~ s/;\z//r,
        providers => [ groq      => 'format=openai model=sandbox',
                       stability => 'format=stability' ], %feed);

    my %common = (
        redis    => { address => $self->{redis}->address },
        postgres => { conninfo => $self->{db}->conninfo },
    );
    my $egress = "$self->{stack}{home}/egress.sock";
    my ($sandbox) = $self->{stack}{sandbox} =~ m{//(.*)};
    $self->{relay} = Worker->new('relay', { %common,
                                            relay => { poll => '200ms' } });
    $self->{queue} = Worker->new('queue', {
        %common,
        egress   => { socket => $egress, timeout => '20s' },
        attempts => { lease => '30s', poll => '500ms', retry => '200ms' },
    }, later => 1);
    if ($opt{feed}) {
        $self->{feed} = Worker->new('feed', {
            %common,
            egress => { socket => $egress },
            hash   => { user_agent => 'Atelier test', scan => '1s',
                        allow_address => $sandbox, per_host => 8 },
        });
    }
    return $self;
}

sub url { return $_[0]{stack}->url('') }

# In PostgreSQL, as a program of the shop's would; the relay does the rest.
sub publish {
    my ($self, $channel, $data) = @_;
    my $text = $json->encode($data) =~ s/'/''/gr;
    return scalar $self->{db}->sql(
        "SELECT atelier.live_publish('$channel', '$text')");
}

# What a program of web/e2e may have done.
sub deeds {
    my ($self) = @_;
    my $stack = $self->{stack};
    return (
        reload  => sub { $stack->reload; return; },
        # the old workers still serve
        hup     => sub { $stack->reload(nowait => 1); return; },
        stop    => sub { $stack->_end(nginx => 'QUIT'); return; },
        start   => sub { $stack->_start_nginx or die "no port\n"; return; },
        crash   => sub { kill KILL => ($stack->workers)[0]; return; },
        publish => sub { return $self->publish($_[0]{channel}, $_[0]{data}); },
        sandbox => sub { $stack->control($_[0]{name}, $_[0]{settings});
                         return; },
        quiet   => sub { $stack->reset_sandbox; return; },
        wait    => sub { return $stack->wait_for(@{ $_[0] }) ? 1 : 0; },
        queue   => sub { $self->{queue}->start; return; },
        sql     => sub { return [ $self->{db}->sql($_[0]) ]; },
    );
}

sub finish {
    my ($self, %opt) = @_;
    return $self->{stack}->finish(%opt);
}

1;
