# The directory of pictures goes away and comes back.

use strict;
use warnings;
use lib 't/helper';
use Stack;
use Test::More;

my $stack = Stack->new;
my $ready = sub { $stack->http->get($stack->url('/health/ready'))->{status} };

is($ready->(), 200, 'ready at the start');

rename "$stack->{home}/generated", "$stack->{home}/away" or die "rename: $!";

my $res = $stack->generate({ prompt => 'nowhere to go' });
is($res->{status}, 503, 'no directory: 503');
is($res->{json}{code}, 'storage_failed', '... with its code');
unlike($res->{content}, qr/\Q$stack->{home}\E/, '... and without the path');
is($ready->(), 503, '... the node says that it is not ready');
is($stack->metric('atelier_pictures_failing'), 1, '... and the metrics too');
like($stack->log_text, qr/\[crit\] .*open\(\) of picture ".*" failed/,
     '... the log names call and file');

rename "$stack->{home}/away", "$stack->{home}/generated" or die "rename: $!";

$res = $stack->generate({ prompt => 'here again' });
is($res->{status}, 200, 'the directory is back: 200');
is($ready->(), 200, '... and ready at once');
is($stack->metric('atelier_pictures_failing'), 0, '... and nothing failing');

# Nothing is left over.

opendir my $dir, "$stack->{home}/generated" or die "opendir: $!";
my @files = grep { !/^\.\.?$/ } readdir $dir;
closedir $dir;
is(scalar @files, 1, 'one picture, and no temporary file');

# fsync=on and another prefix take the same way; a power cut is not tried.

$stack->configure(pictures => 'fsync=on uri=/art/',
                  server => "location /art/ { alias $stack->{home}/generated/; }");
$stack->reload;
$res = $stack->generate({ prompt => 'kept' });
like($res->{json}{url}, qr{^/art/[0-9a-f]{32}\.png$}, 'another prefix');
is(length $stack->http->get($stack->url($res->{json}{url}))->{content},
   -s "$stack->{home}/generated/" . ($res->{json}{url} =~ s{.*/}{}r),
   '... serves the file');

$stack->finish(allow => qr/of picture/);
done_testing();
