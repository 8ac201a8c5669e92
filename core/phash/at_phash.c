/*
 * Perceptual hashes of grey pictures (see at_phash.h).
 *
 * The picture is averaged down to 64 x 64 by area, which is where cost and
 * noise go; 32 x 32 is that averaged again.  Cosines come from a table of a
 * quarter of their period, so a hash is the same bits wherever it is made
 * with IEEE floats.
 *
 * Sources: DCT hash with the median of 8 x 8 coefficients as in pHash; the
 * long one after "PDQ & TMK + PDQF" (Meta, 2019), without its blur, as
 * averaging by area serves.
 */

#include "at_phash.h"

#include <string.h>


#define AT_PHASH_SIDE       64          /* of the averaged picture */
#define AT_PHASH_MAX_SIDE   65535

/*
 * Below either a picture is plain: the deviation of its grey, in levels, and
 * how far its coefficients mostly are from their median.  Plain walls and
 * screens have less than 40 of the latter, as noise gives; photographs of low
 * contrast more than 150.
 */
#define AT_PHASH_DEVIATION  6
#define AT_PHASH_SPREAD     100

/* The rim that is looked through for a frame, in parts of a side. */
#define AT_PHASH_RIM        16
#define AT_PHASH_RIM_NOISE  6           /* grey levels within a frame */


typedef struct {
    size_t  x;
    size_t  y;
    size_t  width;
    size_t  height;
} at_phash_box_t;


static void at_phash_trim(const uint8_t *grey, size_t stride,
    at_phash_box_t *box);
static int at_phash_line(const uint8_t *grey, size_t n, size_t step,
    uint8_t edge);
static void at_phash_average(const uint8_t *grey, size_t stride,
    const at_phash_box_t *box, float out[AT_PHASH_SIDE][AT_PHASH_SIDE]);
static void at_phash_row(const uint8_t *row, size_t width,
    float out[AT_PHASH_SIDE]);
static int at_phash_flat(float grey[AT_PHASH_SIDE][AT_PHASH_SIDE]);
static void at_phash_dct(const float *in, size_t n, size_t from, size_t m,
    float *out);
static float at_phash_cos(size_t k);
static float at_phash_median(const float *values, size_t n);
static float at_phash_spread(const float *values, size_t n, float median);


/* cos(k pi / 128) */
static const float  at_phash_cosines[AT_PHASH_SIDE + 1] = {
    1.0f, 0.99969882f, 0.99879546f, 0.99729046f, 0.99518473f,
    0.99247953f, 0.98917651f, 0.98527764f, 0.98078528f, 0.97570213f,
    0.97003125f, 0.96377607f, 0.95694034f, 0.94952818f, 0.94154407f,
    0.93299280f, 0.92387953f, 0.91420976f, 0.90398929f, 0.89322430f,
    0.88192126f, 0.87008699f, 0.85772861f, 0.84485357f, 0.83146961f,
    0.81758481f, 0.80320753f, 0.78834643f, 0.77301045f, 0.75720885f,
    0.74095113f, 0.72424708f, 0.70710678f, 0.68954054f, 0.67155895f,
    0.65317284f, 0.63439328f, 0.61523159f, 0.59569930f, 0.57580819f,
    0.55557023f, 0.53499762f, 0.51410274f, 0.49289819f, 0.47139674f,
    0.44961133f, 0.42755509f, 0.40524131f, 0.38268343f, 0.35989504f,
    0.33688985f, 0.31368174f, 0.29028468f, 0.26671276f, 0.24298018f,
    0.21910124f, 0.19509032f, 0.17096189f, 0.14673047f, 0.12241068f,
    0.09801714f, 0.07356456f, 0.04906767f, 0.02454123f, 0.00000000f
};


int
at_phash(const uint8_t *grey, size_t width, size_t height, size_t stride,
    at_phash_t *hash)
{
    float           median;
    float           half[AT_PHASH_SIDE / 2][AT_PHASH_SIDE / 2];
    float           full[AT_PHASH_SIDE][AT_PHASH_SIDE];
    float           low[8 * 8], wide[16 * 16];
    size_t          i, x, y;
    at_phash_box_t  box;

    memset(hash, 0, sizeof(at_phash_t));

    if (width < AT_PHASH_MIN_SIDE || height < AT_PHASH_MIN_SIDE
        || width > AT_PHASH_MAX_SIDE || height > AT_PHASH_MAX_SIDE)
    {
        return AT_ERROR;
    }

    box = (at_phash_box_t) { 0, 0, width, height };

    at_phash_trim(grey, stride, &box);
    at_phash_average(grey, stride, &box, full);

    hash->plain = at_phash_flat(full);

    for (y = 0; y < AT_PHASH_SIDE / 2; y++) {
        for (x = 0; x < AT_PHASH_SIDE / 2; x++) {
            half[y][x] = full[2 * y][2 * x] + full[2 * y][2 * x + 1]
                         + full[2 * y + 1][2 * x]
                         + full[2 * y + 1][2 * x + 1];
        }
    }

    at_phash_dct(&half[0][0], AT_PHASH_SIDE / 2, 0, 8, low);
    at_phash_dct(&full[0][0], AT_PHASH_SIDE, 1, 16, wide);

    median = at_phash_median(low, 8 * 8);
    hash->plain |= at_phash_spread(low, 8 * 8, median) < AT_PHASH_SPREAD;

    for (i = 0; i < 8 * 8; i++) {
        hash->bits |= (uint64_t) (low[i] > median) << i;
    }

    median = at_phash_median(wide, 16 * 16);

    for (i = 0; i < 16 * 16; i++) {
        hash->wide[i / 64] |= (uint64_t) (wide[i] > median) << (i % 64);
    }

    return AT_OK;
}


/* Takes off a frame of one colour, which shops and galleries put around. */

static void
at_phash_trim(const uint8_t *grey, size_t stride, at_phash_box_t *box)
{
    size_t   top, bottom, left, right, width, height;
    uint8_t  edge;

    width = box->width;
    height = box->height;
    edge = grey[0];

    for (top = 0; top < height / AT_PHASH_RIM; top++) {
        if (!at_phash_line(grey + top * stride, width, 1, edge)) {
            break;
        }
    }

    for (bottom = 0; bottom < height / AT_PHASH_RIM; bottom++) {
        if (!at_phash_line(grey + (height - 1 - bottom) * stride, width, 1,
                           edge))
        {
            break;
        }
    }

    for (left = 0; left < width / AT_PHASH_RIM; left++) {
        if (!at_phash_line(grey + left, height, stride, edge)) {
            break;
        }
    }

    for (right = 0; right < width / AT_PHASH_RIM; right++) {
        if (!at_phash_line(grey + width - 1 - right, height, stride, edge)) {
            break;
        }
    }

    /* a frame goes all around; a bright sky does not */

    if (top == 0 || bottom == 0 || left == 0 || right == 0) {
        return;
    }

    box->x = left;
    box->y = top;
    box->width = width - left - right;
    box->height = height - top - bottom;
}


static int
at_phash_line(const uint8_t *grey, size_t n, size_t step, uint8_t edge)
{
    size_t  i;

    for (i = 0; i < n; i++, grey += step) {
        if (*grey > edge + AT_PHASH_RIM_NOISE
            || *grey + AT_PHASH_RIM_NOISE < edge)
        {
            return 0;
        }
    }

    return 1;
}


/* Every pixel counts by the area it has of a cell. */

static void
at_phash_average(const uint8_t *grey, size_t stride,
    const at_phash_box_t *box, float out[AT_PHASH_SIDE][AT_PHASH_SIDE])
{
    float   part, row[AT_PHASH_SIDE];
    size_t  i, y, cell, from, to;

    memset(out, 0, AT_PHASH_SIDE * sizeof(row));

    /* in units of 1/64 of a pixel a cell is as high as the picture */

    for (y = 0; y < box->height; y++) {
        at_phash_row(grey + (box->y + y) * stride + box->x, box->width, row);

        from = y * AT_PHASH_SIDE;
        to = from + AT_PHASH_SIDE;

        while (from < to) {
            cell = from / box->height;
            part = (float) (((cell + 1) * box->height < to
                             ? (cell + 1) * box->height : to) - from)
                   / (float) box->height;

            for (i = 0; i < AT_PHASH_SIDE; i++) {
                out[cell][i] += row[i] * part;
            }

            from = (cell + 1) * box->height;
        }
    }
}


static void
at_phash_row(const uint8_t *row, size_t width, float out[AT_PHASH_SIDE])
{
    size_t    i, x, from, to, end;
    uint64_t  sum;

    x = 0;
    from = 0;

    /* cell i covers [from, to) in units of 1/64 of a pixel */

    for (i = 0; i < AT_PHASH_SIDE; i++) {
        to = from + width;
        sum = 0;

        while (from < to) {
            end = (x + 1) * AT_PHASH_SIDE;
            end = (end < to) ? end : to;
            sum += (uint64_t) row[x] * (end - from);
            x += (end == (x + 1) * AT_PHASH_SIDE);
            from = end;
        }

        out[i] = (float) sum / (float) width;
    }
}


static int
at_phash_flat(float grey[AT_PHASH_SIDE][AT_PHASH_SIDE])
{
    float   mean, sum, d;
    size_t  x, y;

    sum = 0;

    for (y = 0; y < AT_PHASH_SIDE; y++) {
        for (x = 0; x < AT_PHASH_SIDE; x++) {
            sum += grey[y][x];
        }
    }

    mean = sum / (AT_PHASH_SIDE * AT_PHASH_SIDE);
    sum = 0;

    for (y = 0; y < AT_PHASH_SIDE; y++) {
        for (x = 0; x < AT_PHASH_SIDE; x++) {
            d = grey[y][x] - mean;
            sum += d * d;
        }
    }

    return sum / (AT_PHASH_SIDE * AT_PHASH_SIDE)
           < AT_PHASH_DEVIATION * AT_PHASH_DEVIATION;
}


/* The frequencies from .. from + m - 1, both ways, of n x n. */

static void
at_phash_dct(const float *in, size_t n, size_t from, size_t m, float *out)
{
    float   basis[16][AT_PHASH_SIDE], rows[AT_PHASH_SIDE][16];
    float   sum;
    size_t  i, j, x, y, scale;

    scale = AT_PHASH_SIDE / n;

    for (i = 0; i < m; i++) {
        for (x = 0; x < n; x++) {
            basis[i][x] = at_phash_cos((2 * x + 1) * (from + i) * scale);
        }
    }

    for (y = 0; y < n; y++) {
        for (i = 0; i < m; i++) {
            sum = 0;

            for (x = 0; x < n; x++) {
                sum += in[y * n + x] * basis[i][x];
            }

            rows[y][i] = sum;
        }
    }

    for (j = 0; j < m; j++) {
        for (i = 0; i < m; i++) {
            sum = 0;

            for (y = 0; y < n; y++) {
                sum += rows[y][i] * basis[j][y];
            }

            out[j * m + i] = sum;
        }
    }
}


/* cos(k pi / 128); the table has a quarter of the period. */

static float
at_phash_cos(size_t k)
{
    k %= 256;

    if (k > 128) {
        k = 256 - k;
    }

    return (k <= 64) ? at_phash_cosines[k] : -at_phash_cosines[128 - k];
}


/* Between the two values in the middle, so half of the bits are set. */

static float
at_phash_median(const float *values, size_t n)
{
    float   v, sorted[256];
    size_t  i, j;

    memset(sorted, 0, sizeof(sorted));

    for (i = 0; i < n; i++) {
        v = values[i];

        for (j = i; j > 0 && sorted[j - 1] > v; j--) {
            sorted[j] = sorted[j - 1];
        }

        sorted[j] = v;
    }

    return (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}


/* The median of the distances from it. */

static float
at_phash_spread(const float *values, size_t n, float median)
{
    float   distances[256];
    size_t  i;

    for (i = 0; i < n; i++) {
        distances[i] = (values[i] > median) ? values[i] - median
                                            : median - values[i];
    }

    return at_phash_median(distances, n);
}


unsigned
at_phash_distance(const at_phash_t *a, const at_phash_t *b)
{
    return (unsigned) __builtin_popcountll(a->bits ^ b->bits);
}


unsigned
at_phash_wide_distance(const at_phash_t *a, const at_phash_t *b)
{
    unsigned  n;
    size_t    i;

    n = 0;

    for (i = 0; i < 4; i++) {
        n += (unsigned) __builtin_popcountll(a->wide[i] ^ b->wide[i]);
    }

    return n;
}


int
at_phash_same(const at_phash_t *a, const at_phash_t *b)
{
    unsigned  distance;

    if (a->plain || b->plain) {
        return 0;
    }

    distance = at_phash_distance(a, b);

    return distance <= AT_PHASH_NEAR
           || (distance <= AT_PHASH_FAR
               && at_phash_wide_distance(a, b) <= AT_PHASH_LONG_NEAR);
}


void
at_phash_pack(const at_phash_t *hash, uint8_t out[AT_PHASH_TEXT])
{
    size_t    i;
    uint64_t  word;

    for (i = 0; i < AT_PHASH_TEXT - 1; i++) {
        word = (i < 8) ? hash->bits : hash->wide[i / 8 - 1];
        out[i] = (uint8_t) (word >> (56 - i % 8 * 8));
    }

    out[i] = (uint8_t) hash->plain;
}


int
at_phash_unpack(at_str_t in, at_phash_t *hash)
{
    size_t          i;
    uint64_t       *word;
    const uint8_t  *p;

    memset(hash, 0, sizeof(at_phash_t));

    p = (const uint8_t *) in.data;

    if (in.len != AT_PHASH_TEXT || p[AT_PHASH_TEXT - 1] > 1) {
        return AT_ERROR;
    }

    for (i = 0; i < AT_PHASH_TEXT - 1; i++) {
        word = (i < 8) ? &hash->bits : &hash->wide[i / 8 - 1];
        *word = *word << 8 | p[i];
    }

    hash->plain = p[i];

    return AT_OK;
}
