/*
 * pgops: see pgops.h. The numbers are those of pg_operator, pg_proc and pg_cast, where OIDs below
 * 10000 never change.
 */
#include "engine/sql/pgops.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct {
    uint32_t type, lt, gt;
} sort_ops[] = {
    {OID_BOOL, 58, 59},
    {OID_INT2, 95, 520},
    {OID_INT4, 97, 521},
    {OID_INT8, 412, 413},
    {OID_FLOAT4, 622, 623},
    {OID_FLOAT8, 672, 674},
    {OID_NUMERIC, 1754, 1756},
    {OID_TEXT, 664, 666},
    {OID_VARCHAR, 664, 666},
    {OID_BPCHAR, 1058, 1060},
    {OID_DATE, 1095, 1097},
    {OID_TIMESTAMP, 2062, 2064},
    {OID_TIMESTAMPTZ, 1322, 1324},
    {OID_UUID, 2974, 2975},
    {OID_BYTEA, 1957, 1959},
    {OID_CHAR, 631, 633},
    {OID_NAME, 660, 662},
    {OID_OID, 609, 610},
    {OID_MACADDR, 1222, 1224},
    {OID_MACADDR8, 3364, 3366},
    {OID_TIME, 1110, 1112},
    {OID_TIMETZ, 1552, 1554},
    {OID_INTERVAL, 1332, 1334},
    {OID_BIT, 1786, 1787},
    {OID_VARBIT, 1806, 1807},
    {OID_ANYENUM, 3518, 3519},
    {OID_ANYARRAY, 1072, 1073},
    {OID_RECORD, 2990, 2991},
    {OID_ANYRANGE, 3884, 3887},
    {OID_ANYMULTIRANGE, 2862, 2865},
    {OID_JSONB, 3242, 3243},
    {OID_MONEY, 902, 903},
    {OID_INET, 1203, 1205},
    {OID_CIDR, 1203, 1205},
    {OID_PG_LSN, 3224, 3225},
    {OID_XID8, 5073, 5074},
};

/* Families that take any type of a kind know it by a pseudo-type. */
static uint32_t operand_of(const struct type *t)
{
    if (t->kind == TYPE_ENUM)
        return OID_ANYENUM;
    switch (t->order) {
    case ORDER_ARRAY: return OID_ANYARRAY;
    case ORDER_RECORD: return OID_RECORD;
    case ORDER_RANGE: return OID_ANYRANGE;
    case ORDER_MULTIRANGE: return OID_ANYMULTIRANGE;
    default: return t->oid;
    }
}

bool pgops_sort(uint32_t sortop, const struct type *t, bool *desc)
{
    uint32_t operand = operand_of(t);
    for (size_t i = 0; i < COUNT(sort_ops); i++)
        if (sort_ops[i].type == operand) {
            *desc = sortop == sort_ops[i].gt;
            return *desc || sortop == sort_ops[i].lt;
        }
    return false;
}

/* left, right 0: both sides have the same type, whichever it is. */
static const struct {
    uint32_t funcid, left, right, key;
} key_ops[] = {
    {60, OID_BOOL, OID_BOOL, OID_BOOL},
    {63, OID_INT2, OID_INT2, OID_INT2},
    {65, OID_INT4, OID_INT4, OID_INT4},
    {467, OID_INT8, OID_INT8, OID_INT8},
    {158, OID_INT2, OID_INT4, OID_INT4},
    {159, OID_INT4, OID_INT2, OID_INT4},
    {1850, OID_INT2, OID_INT8, OID_INT8},
    {1856, OID_INT8, OID_INT2, OID_INT8},
    {852, OID_INT4, OID_INT8, OID_INT8},
    {474, OID_INT8, OID_INT4, OID_INT8},
    {287, OID_FLOAT4, OID_FLOAT4, OID_FLOAT4},
    {293, OID_FLOAT8, OID_FLOAT8, OID_FLOAT8},
    {299, OID_FLOAT4, OID_FLOAT8, OID_FLOAT8},
    {305, OID_FLOAT8, OID_FLOAT4, OID_FLOAT8},
    {1718, OID_NUMERIC, OID_NUMERIC, OID_NUMERIC},
    {67, OID_TEXT, OID_TEXT, OID_TEXT},
    {67, OID_VARCHAR, OID_VARCHAR, OID_VARCHAR},
    {1048, OID_BPCHAR, OID_BPCHAR, OID_BPCHAR},
    {1086, OID_DATE, OID_DATE, OID_DATE},
    {2052, OID_TIMESTAMP, OID_TIMESTAMP, OID_TIMESTAMP},
    {1152, OID_TIMESTAMPTZ, OID_TIMESTAMPTZ, OID_TIMESTAMPTZ},
    {2956, OID_UUID, OID_UUID, OID_UUID},
    {1948, OID_BYTEA, OID_BYTEA, OID_BYTEA},
    {184, OID_OID, OID_OID, OID_OID},
    {62, OID_NAME, OID_NAME, OID_NAME},
    {1145, OID_TIME, OID_TIME, OID_TIME},
    {1352, OID_TIMETZ, OID_TIMETZ, OID_TIMETZ},
    {1162, OID_INTERVAL, OID_INTERVAL, OID_INTERVAL},
    {61, OID_CHAR, OID_CHAR, OID_CHAR},
    {830, OID_MACADDR, OID_MACADDR, OID_MACADDR},
    {1581, OID_BIT, OID_BIT, OID_BIT},
    {1666, OID_VARBIT, OID_VARBIT, OID_VARBIT},
    {888, OID_MONEY, OID_MONEY, OID_MONEY},
    {4043, OID_JSONB, OID_JSONB, OID_JSONB},
    {920, 0, 0, 0}, /* inet and cidr */
    {3233, OID_PG_LSN, OID_PG_LSN, OID_PG_LSN},
    {5084, OID_XID8, OID_XID8, OID_XID8},
    {3508, 0, 0, 0}, /* enums */
    {744, 0, 0, 0},  /* arrays */
    {2981, 0, 0, 0}, /* rows */
    {3855, 0, 0, 0}, /* ranges */
    {4244, 0, 0, 0}, /* multiranges */
};

uint32_t pgops_key_type(uint32_t eq_funcid, const struct type *a, const struct type *b)
{
    for (size_t i = 0; i < COUNT(key_ops); i++) {
        if (key_ops[i].funcid != eq_funcid)
            continue;
        if (!key_ops[i].key)
            return a->oid == b->oid ? a->oid : 0;
        if (key_ops[i].left == a->oid && key_ops[i].right == b->oid)
            return key_ops[i].key;
    }
    return 0;
}

static const struct {
    uint32_t from, to, funcid; /* 0: the same bytes */
} casts[] = {
    {OID_INT2, OID_INT4, 313},         {OID_INT2, OID_INT8, 754},
    {OID_INT2, OID_FLOAT4, 236},       {OID_INT2, OID_FLOAT8, 235},
    {OID_INT2, OID_NUMERIC, 1782},     {OID_INT4, OID_INT8, 481},
    {OID_INT4, OID_FLOAT4, 318},       {OID_INT4, OID_FLOAT8, 316},
    {OID_INT4, OID_NUMERIC, 1740},     {OID_INT8, OID_FLOAT4, 652},
    {OID_INT8, OID_FLOAT8, 482},       {OID_INT8, OID_NUMERIC, 1781},
    {OID_FLOAT4, OID_FLOAT8, 311},     {OID_NUMERIC, OID_FLOAT4, 1745},
    {OID_NUMERIC, OID_FLOAT8, 1746},   {OID_TEXT, OID_BPCHAR, 0},
    {OID_TEXT, OID_VARCHAR, 0},        {OID_VARCHAR, OID_TEXT, 0},
    {OID_VARCHAR, OID_BPCHAR, 0},      {OID_BPCHAR, OID_TEXT, 401},
    {OID_BPCHAR, OID_VARCHAR, 401},    {OID_DATE, OID_TIMESTAMP, 2024},
    {OID_DATE, OID_TIMESTAMPTZ, 1174}, {OID_TIMESTAMP, OID_TIMESTAMPTZ, 2028},
    {OID_TIME, OID_INTERVAL, 1370},    {OID_TIME, OID_TIMETZ, 2047},
    {OID_NAME, OID_TEXT, 406},         {OID_NAME, OID_VARCHAR, 1401},
    {OID_NAME, OID_BPCHAR, 408},       {OID_UNKNOWN, OID_TEXT, 0},
};

enum pgops_cast pgops_implicit_cast(uint32_t from, uint32_t to, uint32_t *funcid)
{
    if (from == to)
        return CAST_SAME;
    for (size_t i = 0; i < COUNT(casts); i++)
        if (casts[i].from == from && casts[i].to == to) {
            *funcid = casts[i].funcid;
            return *funcid ? CAST_FUNC : CAST_RELABEL;
        }
    return CAST_NONE;
}
