# The locations of image sources in conf/, as make run sets them up: what
# reaches the source, and what is told to nobody else.

use strict;
use warnings;
use lib 't/helper';
use Cwd ();
use HTTP::Tiny ();
use JSON::PP ();
use Stack;
use Test::More;

my $stack = Stack->new;
my $home = $stack->{home};
my ($port) = $stack->{sandbox} =~ /(\d+)$/;
my $root = Cwd::getcwd();

# Endpoints and keys by the functions of make run, in a folder without keys.

sub write_services {
    my ($in) = @_;
    mkdir "$home/$_" for 'state', 'state/keys', 'state/atelier', $in;
    symlink "$root/conf", "$home/$in/conf";
    chmod 0700, "$home/state/keys";
    return system 'bash', '-euc', <<'END', 'bash', $root, "$home/$in",
        . "$1/scripts/lib/state.sh"
        say() { :; }
        die() { exit 1; }
        cd "$2"
        state=$3
        sandbox_port=$4
        write_services > /dev/null
END
        "$home/state", $port;
}

is(write_services('without'), 0, 'make run writes addresses and keys');

my %path = (
    pexels    => '/search?query=sofa',
    unsplash  => '/search/photos?query=sofa',
    pixabay   => '?q=sofa',
    flickr    => '?method=flickr.photos.search&format=json&nojsoncallback=1'
                 . '&text=sofa',
    wikimedia => '?action=query&format=json&generator=search&prop=imageinfo'
                 . '&gsrsearch=sofa',
    rawpixel  => '?keys=sofa',
    openverse => '?q=sofa',
);

# Clients cannot ask internal locations; a rewrite can, as the module does.

symlink "$root/conf", "$home/conf/atelier" or die "symlink: $!";
symlink "$home/state/keys", "$home/conf/keys" or die "symlink: $!";
my $secrets = join '', Stack::slurp("$root/conf/run.conf.in")
                       =~ /^ *(atelier_secret .*\n)/mg;

$stack->configure(
    providers => [ other => 'format=openai' ],
    http => "$secrets include $home/state/endpoints.conf;",
    server => 'location /ask { rewrite ^/ask(/.*)$ /_feed$1 last; }'
              . ' include atelier/providers.conf;');
$stack->reload;

sub ask {
    my ($path) = @_;
    my $res = HTTP::Tiny->new(timeout => 60, agent => 'Browser/1.0')
              ->get($stack->url($path));
    $res->{json} = eval { JSON::PP::decode_json($res->{content}) };
    return $res;
}

for my $source (sort keys %path) {
    my $res = ask("/ask/$source$path{$source}");
    is($res->{status}, 200, "$source: answers through its location");
    ok($res->{json} && ($res->{json}{stat} // 'ok') eq 'ok', '... well');
    my $seen = JSON::PP::decode_json(
        HTTP::Tiny->new->get("$stack->{sandbox}/_control/$source")->{content});
    is($seen->{counters}{calls}, 1, '... by one call');
    is($seen->{counters}{refused}, 0, '... with its key');
    is($seen->{last}{headers}{'user-agent'}, 'Atelier/0.1 (nobody@localhost)',
       '... says who asks');
    is($seen->{last}{headers}{host}, "127.0.0.1:$port", '... and whom');
    is((grep { ($_ // '') eq 'sofa' } values %{ $seen->{last}{args} }), 1,
       '... with the arguments');
    is(ask("/_feed/$source$path{$source}")->{status}, 404,
       '... not to clients');
}

is(ask('/ask/pexels/curated')->{status}, 200, 'pexels: the curated');
is(ask('/ask/pexels/photos/1')->{status}, 404, 'pexels: nothing else');
is(ask('/ask/unsplash/photos/abcdefghijk/download')->{status}, 200,
   'unsplash: the ping');
is(ask('/ask/unsplash/me')->{status}, 404, 'unsplash: nothing else');

unlike($stack->log_text, qr/sk-sandbox-/, 'no key in the error log');
unlike(Stack::slurp("$home/logs/access.log"), qr/sk-sandbox-/,
       '... nor in the access log');

# With keys of one's own, and a contact, the real ones are asked.

mkdir "$home/with";
mkdir "$home/with/keys";
for my $file ([ pexels => 'my-key' ], [ contact => 'me@example.org' ]) {
    Stack::spew("$home/with/keys/$file->[0]", "$file->[1]\n");
    chmod 0600, "$home/with/keys/$file->[0]";
}
is(write_services('with'), 0, 'with a key and a contact');
my $endpoints = Stack::slurp("$home/state/endpoints.conf");
like($endpoints, qr/^map "" \$atelier_contact \{ default me\@example\.org; \}/m,
     '... the contact is told');
like($endpoints, qr/upstream atelier_$_->[0] \{ server $_->[1]:443;/,
     "... $_->[0] is the real one")
    for [ pexels => 'api.pexels.com' ], [ wikimedia => 'commons.wikimedia.org' ],
        [ openverse => 'api.openverse.org' ];
like($endpoints, qr/upstream atelier_$_ \{ server 127\.0\.0\.1:$port;/,
     "... $_ is not")
    for qw(unsplash pixabay flickr rawpixel groq);
is(Stack::slurp("$home/state/keys/pexels"), "my-key\n", '... with its key');
ok(!-e "$home/state/keys/wikimedia", '... where there is one');

Stack::spew("$home/with/keys/contact", "me;\@example.org\n");
isnt(write_services('with'), 0, 'a contact that nginx could not read');

$stack->finish;
done_testing();
