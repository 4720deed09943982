/* A stand-in for ProfitDLL with the same binary interface, for tests: what the test tells it to do
   happens on a thread of its own, as with the real one, and calls made on that thread which the
   manual forbids are counted. Build: gcc -shared -fPIC -pthread [-DOLD] -o stub.so profit_stub.c */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

typedef struct { const wchar_t *ticker, *bolsa; int feed; } AssetID;
typedef struct { uint8_t version; const wchar_t *ticker, *exchange; uint8_t feed; } AssetIdentifier;
typedef struct { uint8_t version; wchar_t *ticker; int ticker_length; wchar_t *exchange;
                 int exchange_length; uint8_t feed; } AssetIdentifierOut;
typedef struct { uint8_t version; int broker; const wchar_t *account, *sub; int64_t reserved; } Account;
typedef struct { uint8_t version; int broker; wchar_t account[100]; int account_length;
                 wchar_t sub[100]; int sub_length; int64_t reserved; } AccountOut;
typedef struct { uint16_t year, month, week, day, hour, minute, second, millis; } SystemTime;
typedef struct { uint8_t version; SystemTime date; uint32_t number; double price; int64_t quantity;
                 double volume; int32_t buyer, seller; uint8_t type; } Trade;
typedef struct { uint8_t version; int64_t local; const wchar_t *client; } OrderID;
typedef struct { uint8_t version; Account account; AssetIdentifier asset; const wchar_t *password;
                 uint8_t type, side; double price, stop; int64_t quantity; } SendOrderRequest;
typedef struct { uint8_t version; Account account; OrderID order; const wchar_t *password; } CancelRequest;
typedef struct { uint8_t version; OrderID id; Account account; AssetIdentifier asset;
                 int64_t quantity, traded, leaves; double price, stop, average;
                 uint8_t side, type, status, validity; SystemTime date, updated, closed, until;
                 const wchar_t *text; int64_t event; } Order;
typedef struct { uint8_t version; OrderID id; AccountOut account; AssetIdentifierOut asset;
                 int64_t quantity, traded, leaves; double price, stop, average;
                 uint8_t side, type, status, validity; SystemTime date, updated, closed, until;
                 wchar_t *text; int text_length; int64_t event; } OrderOut;
typedef struct { uint8_t version; Account account; AssetIdentifier asset; int64_t open;
                 double average; uint8_t side; double sell_average; int64_t sold; double buy_average;
                 int64_t bought, daily[9]; uint8_t type; int64_t event; } Position;

typedef void (*StateCall)(int, int);
typedef void (*ProgressCall)(AssetID, int);
typedef void (*TinyCall)(AssetID, double, int, int);
typedef void (*TradeCall)(AssetID, const wchar_t *, uint32_t, double, double, int, int, int, int, int);
typedef void (*HistoryCall)(AssetID, const wchar_t *, uint32_t, double, double, int, int, int, int);
typedef void (*TradeV2Call)(AssetIdentifier, size_t, uint32_t);
typedef void (*BookCall)(AssetID, int, int, int, int64_t, int64_t, double, void *, void *);
typedef void (*OrderCall)(OrderID);
typedef int (*OrderProc)(Order *, intptr_t);

static StateCall on_state; static ProgressCall on_progress; static TinyCall on_tiny;
static TradeCall on_trade; static HistoryCall on_history; static BookCall on_book;
static TradeV2Call on_trade_v2, on_history_v2; static OrderCall on_order;

enum { STATE, TRADE, TINY, BOOK, FULL, PAST, ORDER, STOP };
typedef struct { int kind, a, b, c, d; double price; Trade trade; int64_t big; void *buy, *sell; } Job;

static Job jobs[65536]; static int head, tail, violations, freed, idle = 1, running;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER, drained = PTHREAD_COND_INITIALIZER;
static pthread_t connector;
static wchar_t known[32] = L"WDOFUT", subscribed[32]; static int books;
static int login_code, market_code = 4;
static Trade past[4096]; static int pasts, history_silent;
static wchar_t asked_from[24], asked_to[24];
static Order orders[256]; static int order_count; static wchar_t clients[256][24], texts[256][64];
static int64_t position; static double position_price;
static int nameless; /* whether the broker has yet to give its own ids */

#define MUST_NOT_BE_CONNECTOR if (running && pthread_equal(pthread_self(), connector)) violations++

static AssetID asset(void) { AssetID a = { known, L"F", 0 }; return a; }

static void date_of(const Trade *t, wchar_t *out) {
    swprintf(out, 32, L"%02d/%02d/%04d %02d:%02d:%02d.%03d", t->date.day, t->date.month,
             t->date.year, t->date.hour, t->date.minute, t->date.second, t->date.millis);
}

static void tell_trade(const Trade *t, int edit, int history, int last) {
    TradeV2Call newer = history ? on_history_v2 : on_trade_v2;
    if (newer) {
        AssetIdentifier a = { 0, known, L"F", 0 };
        newer(a, (size_t)t, (uint32_t)(edit | (last ? 2 : 0)));
        return;
    }
    wchar_t date[32];
    date_of(t, date);
    if (history ? !on_history : !on_trade) return; /* nobody asked */
    if (history)
        on_history(asset(), date, t->number, t->price, t->volume, (int)t->quantity, t->buyer,
                   t->seller, t->type);
    else /* upper bits of a char argument may be garbage */
        on_trade(asset(), date, t->number, t->price, t->volume, (int)t->quantity, t->buyer,
                 t->seller, t->type, edit | 0x5500);
}

/* A text's moment in milliseconds of its month: enough for one day's trades. */
static long moment(const wchar_t *text) {
    int day, month, year, hour, minute, second, millis = 0;
    swscanf(text, L"%d/%d/%d %d:%d:%d.%d", &day, &month, &year, &hour, &minute, &second, &millis);
    return (((day * 24L + hour) * 60 + minute) * 60 + second) * 1000 + millis;
}

static int asked(const Trade *t) {
    wchar_t date[32];
    date_of(t, date);
    return moment(asked_from) <= moment(date) && moment(date) <= moment(asked_to);
}

static void work(Job *j) {
    switch (j->kind) {
    case STATE: on_state(j->a, j->b); break;
    case TRADE: tell_trade(&j->trade, j->a, 0, 0); break;
    case TINY: on_tiny(asset(), j->price, 1, j->a); break;
    case BOOK: if (on_book) on_book(asset(), j->a, j->b, j->c, j->big, 1, j->price, NULL, NULL); break;
    case FULL: if (on_book) on_book(asset(), 4, -1, 254, 0, 0, 0.0, j->sell, j->buy); break;
    case PAST: {
        int last = -1;
        if (history_silent) break;
        for (int i = 0; i < pasts; i++) if (asked(&past[i])) last = i;
        for (int i = 0; i <= last; i++) if (asked(&past[i])) tell_trade(&past[i], 0, 1, i == last);
        on_progress(asset(), 100);
        break;
    }
    case ORDER: { OrderID id = { 0, orders[j->a].id.local, clients[j->a] }; if (on_order) on_order(id); break; }
    }
}

static void *run(void *unused) {
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&lock);
        while (head == tail) { idle = 1; pthread_cond_broadcast(&drained); pthread_cond_wait(&woken, &lock); }
        idle = 0;
        Job job = jobs[head++ % 65536];
        pthread_mutex_unlock(&lock);
        if (job.kind == STOP) break;
        work(&job);
    }
    pthread_mutex_lock(&lock); idle = 1; pthread_cond_broadcast(&drained); pthread_mutex_unlock(&lock);
    return NULL;
}

static void put(Job job) {
    pthread_mutex_lock(&lock);
    jobs[tail++ % 65536] = job;
    pthread_cond_signal(&woken);
    pthread_mutex_unlock(&lock);
}

static int start(void) {
    running = 1;
    pthread_create(&connector, NULL, run, NULL);
    put((Job){ .kind = STATE, .a = 0, .b = login_code });
    if (login_code) return 0;
    put((Job){ .kind = STATE, .a = 3, .b = 0 });
    put((Job){ .kind = STATE, .a = 2, .b = 2 });
    put((Job){ .kind = STATE, .a = 2, .b = market_code });
    put((Job){ .kind = STATE, .a = 1, .b = 5 });
    return 0;
}

int DLLInitializeMarketLogin(wchar_t *key, wchar_t *user, wchar_t *pass, void *state, void *trade,
                             void *daily, void *price, void *offer, void *history, void *progress,
                             void *tiny) {
    if (!key || !user || !pass) return (int)0x80000003;
    on_state = state; on_trade = trade; on_history = history; on_progress = progress; on_tiny = tiny;
    return start();
}

int DLLInitializeLogin(wchar_t *key, wchar_t *user, wchar_t *pass, void *state, void *history_order,
                       void *order, void *account, void *trade, void *daily, void *price,
                       void *offer, void *history, void *progress, void *tiny) {
    return DLLInitializeMarketLogin(key, user, pass, state, trade, daily, price, offer, history,
                                    progress, tiny);
}

int DLLFinalize(void) {
    if (running) { put((Job){ .kind = STOP }); pthread_join(connector, NULL); running = 0; }
    return 0;
}

static int known_ticker(const wchar_t *ticker) { return wcscmp(ticker, known) == 0; }

int SubscribeTicker(wchar_t *ticker, wchar_t *exchange) {
    MUST_NOT_BE_CONNECTOR;
    if (!known_ticker(ticker)) return (int)0x8000001F;
    wcscpy(subscribed, ticker);
    return 0;
}
int UnsubscribeTicker(wchar_t *ticker, wchar_t *exchange) { MUST_NOT_BE_CONNECTOR; subscribed[0] = 0; return 0; }
int SubscribePriceBook(wchar_t *ticker, wchar_t *exchange) { MUST_NOT_BE_CONNECTOR; books++; return 0; }
int UnsubscribePriceBook(wchar_t *ticker, wchar_t *exchange) { MUST_NOT_BE_CONNECTOR; return 0; }
int GetHistoryTrades(wchar_t *ticker, wchar_t *exchange, wchar_t *from, wchar_t *to) {
    MUST_NOT_BE_CONNECTOR;
    if (wcslen(from) != 19 || wcslen(to) != 19) return (int)0x80000003;
    wcscpy(asked_from, from); wcscpy(asked_to, to);
    put((Job){ .kind = PAST });
    return 0;
}
int TranslateTrade(size_t at, Trade *out) { *out = *(Trade *)at; return 1; }
int FreePointer(void *at, int size) {
    MUST_NOT_BE_CONNECTOR;
    if (((int *)at)[1] != size) return (int)0x80000003;
    freed += size;
    free(at);
    return 0;
}
#ifndef OLD
int SetTradeCallbackV2(TradeV2Call call) { on_trade_v2 = call; return 0; }
int SetHistoryTradeCallbackV2(TradeV2Call call) { on_history_v2 = call; return 0; }
#endif
int SetPriceBookCallbackV2(BookCall call) { on_book = call; return 0; }
int SetOrderCallback(OrderCall call) { on_order = call; return 0; }

static int find(OrderID id) {
    for (int i = 0; i < order_count; i++)
        if (orders[i].id.local == id.local || (id.client && id.client[0] && !wcscmp(id.client, clients[i])))
            return i;
    return -1;
}

int64_t SendOrder(SendOrderRequest *r) {
    MUST_NOT_BE_CONNECTOR;
    if (r->version != 1 || !r->password || !r->password[0]) return (int64_t)(int32_t)0x8000001C;
    if (!known_ticker(r->asset.ticker)) return (int64_t)(int32_t)0x8000001F;
    Order *o = &orders[order_count];
    memset(o, 0, sizeof *o);
    o->id.local = 1000 + order_count;
    swprintf(clients[order_count], 24, L"BR%06d", order_count);
    o->asset.ticker = known; o->asset.exchange = L"F";
    o->quantity = o->leaves = r->quantity; o->price = r->price; o->stop = r->stop;
    o->side = r->side; o->type = r->type; o->status = 0;
    o->date = o->updated = (SystemTime){ 2024, 1, 2, 2, 10, 0, order_count % 60, 0 };
    put((Job){ .kind = ORDER, .a = order_count++ });
    return o->id.local;
}

int SendCancelOrderV2(CancelRequest *r) {
    MUST_NOT_BE_CONNECTOR;
    int i = find(r->order);
    if (i < 0) return (int)0x8000000C;
    orders[i].status = 4;
    put((Job){ .kind = ORDER, .a = i });
    return 0;
}

int GetOrderDetails(OrderOut *out) {
    MUST_NOT_BE_CONNECTOR;
    int i = find(out->id);
    if (i < 0) return (int)0x8000000C;
    const Order *o = &orders[i];
    if (out->asset.ticker) {
        wmemcpy(out->asset.ticker, o->asset.ticker, wcslen(o->asset.ticker) + 1);
        wmemcpy(out->text, texts[i], wcslen(texts[i]) + 1);
    }
    out->asset.ticker_length = (int)wcslen(o->asset.ticker);
    out->asset.exchange_length = 1;
    out->text_length = (int)wcslen(texts[i]);
    out->id.local = o->id.local; out->id.client = nameless ? L"" : clients[i];
    out->quantity = o->quantity; out->traded = o->traded; out->leaves = o->leaves;
    out->price = o->price; out->stop = o->stop; out->average = o->average;
    out->side = o->side; out->type = o->type; out->status = o->status;
    out->date = o->date; out->updated = o->updated;
    return 0;
}

int EnumerateAllOrders(Account *account, uint8_t version, intptr_t param, OrderProc proc) {
    MUST_NOT_BE_CONNECTOR;
    for (int i = 0; i < order_count; i++) {
        Order copy = orders[i];
        copy.id.client = clients[i];
        if (!proc(&copy, param)) break;
    }
    return 0;
}

int GetPositionV2(Position *out) {
    MUST_NOT_BE_CONNECTOR;
    if (!position) return (int)0x8000000B;
    out->open = position < 0 ? -position : position;
    out->side = position < 0 ? 2 : 1;
    out->average = position_price;
    return 0;
}

/* ------------------------------------------------- what a test tells it to do */
void stub_login(int login, int market) { login_code = login; market_code = market; }
void stub_state(int kind, int result) { put((Job){ .kind = STATE, .a = kind, .b = result }); }
static Trade made(int number, int second, int millis, double price, int quantity, int type) {
    Trade t = { 0, { 2024, 1, 2, 2, (uint16_t)(10 + second / 3600), (uint16_t)(second / 60 % 60),
                     (uint16_t)(second % 60), (uint16_t)millis },
                (uint32_t)number, price, quantity, price * quantity * 10, 3, 8, (uint8_t)type };
    return t;
}
void stub_trade(int number, int second, int millis, double price, int quantity, int type, int edit) {
    put((Job){ .kind = TRADE, .a = edit, .trade = made(number, second, millis, price, quantity, type) });
}
void stub_past(int number, int second, int millis, double price, int quantity, int type) {
    past[pasts++] = made(number, second, millis, price, quantity, type);
}
void stub_silent(int silent) { history_silent = silent; }
void stub_tiny(int side, double price) { put((Job){ .kind = TINY, .a = side, .price = price }); }
void stub_book(int action, int position_, int side, int64_t quantity, double price) {
    put((Job){ .kind = BOOK, .a = action, .b = position_, .c = side, .big = quantity, .price = price });
}
static char *packed(const double *prices, const int64_t *sizes, int n, int last) {
    int size = 8 + 20 * n + 4;
    char *at = malloc((size_t)size);
    memcpy(at, &n, 4); memcpy(at + 4, &size, 4);
    for (int i = 0; i < n; i++) {
        uint32_t count = 1;
        memcpy(at + 8 + 20 * i, &prices[i], 8);
        memcpy(at + 16 + 20 * i, &sizes[i], 8);
        memcpy(at + 24 + 20 * i, &count, 4);
    }
    uint32_t flags = (uint32_t)last;
    memcpy(at + 8 + 20 * n, &flags, 4);
    return at;
}
void stub_full(const double *bids, const int64_t *bid_sizes, int n_bids, const double *asks,
               const int64_t *ask_sizes, int n_asks, int last) {
    put((Job){ .kind = FULL, .buy = packed(bids, bid_sizes, n_bids, last),
               .sell = packed(asks, ask_sizes, n_asks, last) });
}
static int filled(int64_t local, int quantity, double price) {
    int i = find((OrderID){ 0, local, NULL });
    Order *o = &orders[i];
    o->average = (o->average * (double)o->traded + price * quantity) / (double)(o->traded + quantity);
    o->traded += quantity; o->leaves -= quantity;
    o->status = o->leaves ? 1 : 2;
    o->updated.second++;
    position += o->side == 1 ? quantity : -quantity; position_price = price;
    return i;
}
void stub_fill(int64_t local, int quantity, double price) {
    put((Job){ .kind = ORDER, .a = filled(local, quantity, price) });
}
void stub_fill_unheard(int64_t local, int quantity, double price) { filled(local, quantity, price); }
void stub_nameless(int now) { nameless = now; }
void stub_unstamped(int64_t local) {
    Order *o = &orders[find((OrderID){ 0, local, NULL })];
    memset(&o->date, 0, sizeof o->date);
    memset(&o->updated, 0, sizeof o->updated);
}
void stub_reject(int64_t local, const wchar_t *text) {
    int i = find((OrderID){ 0, local, NULL });
    orders[i].status = 8;
    wcsncpy(texts[i], text, 63);
    put((Job){ .kind = ORDER, .a = i });
}
void stub_again(int64_t local) { put((Job){ .kind = ORDER, .a = find((OrderID){ 0, local, NULL }) }); }
void stub_wait(void) {
    pthread_mutex_lock(&lock);
    while (head != tail || !idle) pthread_cond_wait(&drained, &lock);
    pthread_mutex_unlock(&lock);
}
int stub_violations(void) { return violations; }
int stub_freed(void) { return freed; }
int stub_books(void) { return books; }
int stub_running(void) { return running; }
int stub_held(void) { return (int)position; }
int stub_sizes(int which) {
    int sizes[] = { sizeof(AssetID), sizeof(AssetIdentifier), sizeof(Account), sizeof(Trade),
                    sizeof(SendOrderRequest), sizeof(OrderID), sizeof(Order), sizeof(OrderOut),
                    sizeof(Position), sizeof(CancelRequest), sizeof(SystemTime) };
    return sizes[which];
}
