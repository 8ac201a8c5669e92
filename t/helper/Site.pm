package Site;

# All of Atelier with its pages, for tests that go through a browser or
# through web/lib: nginx on the sandbox, Redis, PostgreSQL, relay and queue.
#
#     my $site = Site->new;        # workers => 2, http => ..., pages => 0,
#                                  # feed => 1, shop => 1
#     $site->publish('product:1', { price => '10' });
#     Node::run('web/e2e/feed.mjs', [ $site->url ], $site->deeds);
#     $site->finish;

use strict;
use warnings;

use Cwd ();
use Feed;
use File::Temp ();
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
    # Nobody else asks shops, so nobody is to wait for them.
    my $wait = $opt{shop} ? '20s' : '5s';

    my $http = "atelier_postgres '@{[ $self->{db}->conninfo ]}' timeout=20s;\n"
               . qq{include "$here/conf/visitor.conf";\n};
    my $server = "location = /live { atelier_live drain=1s; }\n"
                 . "location = /telemetry { atelier_telemetry; }\n"
                 . "location /products { atelier_products wait=$wait; }\n";
    if ($pages) {
        $http .= "include /etc/nginx/mime.types;\n"
                 . "default_type application/octet-stream;\n"
                 . qq{include "$here/web/csp.conf";\n}
                 . 'map "" $atelier_more_images'
                 . ' { default "http://127.0.0.1:* http://*.localhost:*"; }'
                 . "\n";
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
        providers => [ groq      => 'format=openai model=sandbox timeout=60s',
                       stability => 'format=stability timeout=60s' ],
        %feed);

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
    $self->_shop($sandbox, %common) if $opt{shop};
    return $self;
}

# The sandbox's shops, whose prices move by control alone, and the workers that
# ask them: what a page watches is looked at all the time, all else is not.
sub _shop {
    my ($self, $sandbox, %common) = @_;
    my ($port) = $sandbox =~ /:(\d+)$/;
    my $dir = $self->{recipes} = File::Temp->newdir;
    system('scripts/sandbox-recipes', "$dir", $port, 100) == 0
        or die "scripts/sandbox-recipes failed\n";
    $self->{stack}->control($_ => { pace => 0, seed => 1 })
        for qw(amazon flipkart ikea pepperfry urbanladder);

    $common{shops} = { recipes => "$dir" };
    $common{fetch} = { agent => 'Atelier test', allow_address => $sandbox };
    $self->{shop} = Worker->new('shop', {
        %common, search => { timeout => '15s' },
        verify => { poll => '200ms', parallel => 1 },
    }, command => ['run']);
    $self->{prices} = Worker->new('prices', {
        %common,
        looks  => { usual => '1h', least => '30m', watched => '300ms',
                    lease => '10s', poll => '100ms' },
        sweeps => { least => 0 },
    });
    $_->ready for @$self{qw(shop prices)};
    Stack::until_true('nginx to hear of the shops', sub {
        return $self->{redis}->ask('PUBSUB', 'NUMSUB',
                                   'atelier:shop:done')->[1] > 0;
    });
    return;
}

# A product at its shop, as sandbox/README.md has it: what it is now, after
# what is to become of it, if anything is.
sub good {
    my ($self, $id, $what) = @_;
    my $stack = $self->{stack};
    my ($shop, $native) = split /:/, $id;
    my $res = $stack->http->request($what ? 'PUT' : 'GET',
        "$stack->{sandbox}/_control/$shop/products/$native",
        $what ? { content => $json->encode($what) } : {});
    die "$id at its shop: $res->{status} $res->{content}" if !$res->{success};
    return $json->decode($res->{content});
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
        counters => sub { return $stack->counters($_[0]); },
        wait    => sub { return $stack->wait_for(@{ $_[0] }) ? 1 : 0; },
        queue   => sub { $self->{queue}->start; return; },
        # kill, start
        redis   => sub { my $do = $_[0]; $self->{redis}->$do; return; },
        sql     => sub { return [ $self->{db}->sql($_[0]) ]; },
        good    => sub { return $self->good($_[0]{id}, $_[0]{what}); },
    );
}

sub finish {
    my ($self, %opt) = @_;
    return $self->{stack}->finish(%opt);
}

1;
