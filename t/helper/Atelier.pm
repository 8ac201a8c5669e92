package Atelier;

# Configuration that the .t files share.  They load it by
#
#     use lib 't/helper';
#     use Atelier;
#
# It knows nothing of Test::Nginx, so it serves our runner and the real one.
# Fake providers are locations of the same server, asked over TCP as real ones
# would be.

use strict;
use warnings;

# Bodies of providers, and what they hold.

use MIME::Base64 ();
use Compress::Zlib ();

sub chunk {
    my ($type, $data) = @_;
    return pack('N', length $data) . $type . $data
           . pack('N', Compress::Zlib::crc32($type . $data));
}

# A grey PNG of this size.
sub png {
    my ($width, $height) = @_;
    my $rows = ("\0" . ("\x80" x $width)) x $height;
    return "\x89PNG\r\n\x1a\n"
           . chunk('IHDR', pack('NNCCCCC', $width, $height, 8, 0, 0, 0, 0))
           . chunk('IDAT', Compress::Zlib::compress($rows))
           . chunk('IEND', '');
}

sub base64 {
    return MIME::Base64::encode_base64($_[0], '');
}

# The body of a good answer in the OpenAI images format.
sub openai {
    my $png = base64(@_ ? $_[0] : png(64, 48));
    return qq({"created":1,"data":[{"b64_json":"$png"}]});
}

# The http block: zone, pictures, and these providers, by name => parameters.
sub http {
    my @providers = @_;
    my $text = "atelier_zone state 1m;\natelier_pictures html/generated;\n";
    while (my ($name, $params) = splice @providers, 0, 2) {
        $params = "format=openai $params" if $params !~ /format=/;
        $text .= "atelier_ai_provider $name uri=/_ai/$name $params;\n";
    }
    return $text;
}

# The server block: the endpoint, and for each provider its internal location
# and the directives of the fake behind it.
sub server {
    my @fakes = @_;
    my $text = "location = /generate { atelier_generate; }\n"
               . "location = /metrics { atelier_metrics; }\n";
    while (my ($name, $fake) = splice @fakes, 0, 2) {
        $text .= <<"END";
location = /_ai/$name {
    internal;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_buffering off;
    proxy_next_upstream off;
    proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/fake/$name;
}
location = /fake/$name {
    default_type application/json;
    $fake
}
END
    }
    return $text;
}

# A good provider.
sub good {
    my $body = openai(@_);
    return "return 200 '$body';";
}

1;
