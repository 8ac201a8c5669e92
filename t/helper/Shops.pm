package Shops;

# The sandbox's shops, atelier-shop, atelier-prices and what they need, for
# tests of these.
#
#     my $shops = Shops->new(only => ['ikea'], gap => 100);
#     my $worker = $shops->worker(search => { timeout => '15s' });
#     $shops->job(query => 'sofa'); $shops->done;
#     $shops->found('sofa');              # { ikea => 24, ... }
#
#     my @ids = $shops->seed(ikea => $shops->known('ikea'));
#     my $prices = Worker->new(prices => $shops->price_settings);
#     $shops->put($ids[0], { price => 99 }); $shops->due($ids[0]);
#     $shops->row('c.checks', $ids[0]); $shops->price($ids[0]);
#
# With stack => \&Shops::readers there is GET /products, too; readers => '...'
# are its parameters.  Members: stack, db, redis, dir (of the recipes), port
# (of the sandbox).

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
        readers => $opt{readers} // 'fresh=1s wait=20s',
    }, $class;
    $self->{stack} = Stack->new($opt{stack} ? $opt{stack}->($self) : ());
    ($self->{port}) = $self->{stack}{sandbox} =~ /:(\d+)$/;
    $self->recipes;
    return $self;
}

# What Stack->new takes.
sub readers {
    my ($self) = @_;
    return (http => <<"END", server => <<"END2");
    atelier_cache pages 8m;
    atelier_postgres '@{[ $self->{db}->conninfo ]}' timeout=20s;
    atelier_redis @{[ $self->{redis}->address ]} timeout=20s;
END
    location /products { atelier_products $self->{readers}; }
END2
}

# nginx is there for readers, and hears of the ends of jobs.
sub listens {
    my ($self) = @_;
    Worker::until_true('nginx to listen', sub {
        return $self->{redis}->ask('PUBSUB', 'NUMSUB',
                                   'atelier:shop:done')->[1] > 0
               && $self->{stack}->metric('atelier_postgres_up')
               && $self->{stack}->metric('atelier_redis_up') });
    return;
}

# GET /products: status, and what was answered.
sub products {
    my ($self, $args) = @_;
    my $res = $self->{stack}->http->get($self->{stack}->url("/products?$args"));
    return ($res->{status}, JSON::PP::decode_json($res->{content}));
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

# Settings, with those of a test in place of some.
sub with {
    my ($all, %more) = @_;
    for my $section (keys %more) {
        $all->{$section} = { %{ $all->{$section} // {} },
                             %{ $more{$section} } };
    }
    return $all;
}

sub common {
    my ($self) = @_;
    return {
        redis    => { address => $self->{redis}->address },
        postgres => { conninfo => $self->{db}->conninfo },
        shops    => { recipes => "$self->{dir}" },
        fetch    => { agent => 'Atelier test', timeout => '20s',
                      wall_first => '100ms', wall_most => '100ms',
                      backoff => '20ms',
                      allow_address => "127.0.0.1:$self->{port}" },
    };
}

sub settings {
    my ($self, %more) = @_;
    return with(with($self->common,
        jobs   => { threads => 2, claim_after => '60s' },
        search => { timeout => '50s' },
        verify => { parallel => 0, poll => '50ms' }), %more);
}

# No look but at what is due, watched or doubted; no sweep.
sub price_settings {
    my ($self, %more) = @_;
    return with(with($self->common,
        fetch  => { timeout => '8s' },
        looks  => { usual => '1h', least => '30m', doubt => '5s',
                    watched => '200ms', lease => '10s', poll => '50ms' },
        sweeps => { least => 0 }), %more);
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

# A product of a shop, as "ikea:ID": looks at it (GET), or changes it.
sub product {
    my ($self, $id, $how, $what) = @_;
    my ($shop, $native) = split /:/, $id;
    my $res = $self->{stack}->http->request($how // 'GET',
        "$self->{stack}{sandbox}/_control/$shop/products/$native",
        $what ? { content => JSON::PP::encode_json($what) } : {});
    die "$id: $res->{status} $res->{content}" if !$res->{success};
    return JSON::PP::decode_json($res->{content} || '{}');
}

sub put { return $_[0]->product($_[1], 'PUT', $_[2]) }

sub fetched { return $_[0]->product($_[1])->{fetched} }

sub known { return @{ $_[0]->ask("$_[1]/products")->{products} } }

# Stores products of a shop as atelier-shop would have found them; they are
# not due yet.  Returns their ids.
sub seed {
    my ($self, $shop, @known) = @_;
    my @seen = map { {
        id => "$shop:$_->{id}", title => $_->{title},
        url => "http://$shop.localhost:$self->{port}$_->{path}",
        price => int($_->{price} * 100 + 0.5), currency => 'INR',
        inStock => $_->{stock} ? JSON::PP::true : JSON::PP::false,
        verified => JSON::PP::true,
    } } @known;
    my $text = JSON::PP::encode_json(\@seen) =~ s/'/''/gr;
    $self->{db}->sql("BEGIN;
        SELECT count(*) FROM atelier.products_see('$text');
        UPDATE atelier.product_check
        SET next_check = now() + interval '1 day'
        WHERE checks = 0 AND retailer = '$shop'; COMMIT");
    return map { $_->{id} } @seen;
}

sub due {
    my ($self, @ids) = @_;
    my $list = join ',', map { "'$_'" } @ids;
    $self->{db}->sql("UPDATE atelier.product_check SET next_check = now()
                      WHERE product_id IN ($list)");
    return;
}

# Columns of a product (p) and of its looks (c).
sub row {
    my ($self, $columns, $id) = @_;
    return scalar $self->{db}->sql("SELECT $columns FROM atelier.product p
        JOIN atelier.product_check c ON c.product_id = p.id
        WHERE p.id = '$id'");
}

sub price {
    my ($self, $id) = @_;
    return $self->row('atelier.money_text(p.price, p.currency)', $id);
}

sub finish {
    my ($self) = @_;
    $self->{stack}->finish;
    return;
}

1;
