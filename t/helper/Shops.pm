package Shops;

# The sandbox's shops, atelier-shop and what both need, for tests of the two.
#
#     my $shops = Shops->new(only => ['ikea'], gap => 100);
#     my $worker = $shops->worker(search => { timeout => '15s' });
#     $shops->job(query => 'sofa'); $shops->done;
#     $shops->found('sofa');              # { ikea => 24, ... }
#
# Members: stack, db, redis, dir (of the recipes), port (of the sandbox).

use strict;
use warnings;

use File::Temp ();
use JSON::PP ();
use Postgres;
use PrivateRedis;
use Stack;
use Worker;

sub new {
    my ($class, %opt) = @_;
    my $self = bless {
        db    => Postgres->new,
        redis => PrivateRedis->new,
        dir   => File::Temp->newdir,
        only  => $opt{only},
        gap   => $opt{gap} // 100,
    }, $class;
    $self->{stack} = Stack->new($opt{stack} ? $opt{stack}->($self) : ());
    ($self->{port}) = $self->{stack}{sandbox} =~ /:(\d+)$/;
    $self->recipes;
    return $self;
}

# Writes the recipes anew; those that are not wanted go.
sub recipes {
    my ($self) = @_;
    system('scripts/sandbox-recipes', "$self->{dir}", $self->{port},
           $self->{gap}) == 0 or die 'scripts/sandbox-recipes failed';
    my %only = map { $_ => 1 } @{ $self->{only} // [] };
    for my $file (glob "$self->{dir}/*.json") {
        my ($name) = $file =~ m{([^/]+)\.json$};
        unlink $file if %only && !$only{$name};
    }
    return;
}

# Changes a recipe: the code is given what is in it.
sub recipe {
    my ($self, $name, $code) = @_;
    my $json = JSON::PP->new->utf8->canonical;
    my $recipe = $json->decode(Stack::slurp("$self->{dir}/$name.json"));
    $code->($recipe);
    Stack::spew("$self->{dir}/$name.json", $json->encode($recipe));
    return;
}

sub settings {
    my ($self, %more) = @_;
    my %all = (
        redis    => { address => $self->{redis}->address },
        postgres => { conninfo => $self->{db}->conninfo },
        shops    => { recipes => "$self->{dir}" },
        fetch    => { agent => 'Atelier test', wall_first => '100ms',
                      wall_most => '100ms', backoff => '20ms',
                      allow_address => "127.0.0.1:$self->{port}" },
        jobs     => { threads => 2, claim_after => '60s' },
        search   => { timeout => '50s' },
        verify   => { parallel => 0, poll => '50ms' },
    );
    for my $section (keys %more) {
        $all{$section} = { %{ $all{$section} // {} }, %{ $more{$section} } };
    }
    return \%all;
}

sub worker {
    my ($self, %more) = @_;
    my $worker = Worker->new('shop', $self->settings(%more),
                             command => ['run']);
    $worker->ready;
    return $worker;
}

sub job {
    my ($self, %fields) = @_;
    %fields = (kind => 'products', query => '', category => '', page => 1,
               requestId => 'r', at => 1, %fields);
    return $self->{redis}->ask('XADD', 'atelier:shop:jobs', '*', %fields);
}

# All jobs have ended.
sub done {
    my ($self) = @_;
    Worker::until_true('the end of the jobs', sub {
        return $self->{redis}->ask('XLEN', 'atelier:shop:jobs') == 0 });
    return;
}

# Products that were found for a query, by shop.
sub found {
    my ($self, $query) = @_;
    my %n = map { split /\|/ } $self->{db}->sql(
        "SELECT retailer, count(*) FROM atelier.product p
         JOIN atelier.product_query q ON q.product_id = p.id
         WHERE q.query = '$query' GROUP BY retailer");
    return \%n;
}

# What a shop of the sandbox says: a path below its control.
sub ask {
    my ($self, $path) = @_;
    my $res = $self->{stack}->http->get(
        "$self->{stack}{sandbox}/_control/$path");
    die "$path: $res->{status} $res->{content}" if !$res->{success};
    return JSON::PP::decode_json($res->{content});
}

# Changes a product of a shop, as "ikea:ID".
sub put {
    my ($self, $id, $what) = @_;
    my ($shop, $native) = split /:/, $id;
    my $res = $self->{stack}->http->request('PUT',
        "$self->{stack}{sandbox}/_control/$shop/products/$native",
        { content => JSON::PP::encode_json($what) });
    die "$id: $res->{status} $res->{content}" if !$res->{success};
    return;
}

sub finish {
    my ($self) = @_;
    $self->{stack}->finish;
    return;
}

1;
